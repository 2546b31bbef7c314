export function GET() {
  const headers = { "content-type": "application/octet-stream" };
  return new Response(Uint8Array.from(Array(256).keys()), { headers });
}
