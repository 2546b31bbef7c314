export async function GET(request, { params }) {
  const { code } = await params;
  return new Response(`Status ${code}.\n`, { status: Number(code) });
}
