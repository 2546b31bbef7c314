import { cookies } from "next/headers";

export async function GET() {
  const store = await cookies();
  store.set("first", "1");
  store.set("second", "2", { httpOnly: true });
  return new Response("Two cookies for you.\n");
}
