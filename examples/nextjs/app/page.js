import Image from "next/image";
import Link from "next/link";

export default function Page() {
  return (
    <main>
      <h1>Hello from Next.js!</h1>
      <Image src="/dot.png" alt="A dot" width={64} height={64} />
      <p>
        <Link href="/stream">A page that is streamed</Link>
      </p>
      <p>
        <Link href="/posts/1">A page that is kept for a minute</Link>
      </p>
    </main>
  );
}
