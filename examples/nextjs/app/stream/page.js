import { Suspense } from "react";
import { connection } from "next/server";

export default function Page() {
  return (
    <main>
      <p>This is sent at once.</p>
      <Suspense fallback={<p>Wait a second.</p>}>
        <Slow />
      </Suspense>
    </main>
  );
}

async function Slow() {
  await connection(); // for each request, and not when the image is built
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return <p>This took a second.</p>;
}
