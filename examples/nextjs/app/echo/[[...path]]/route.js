// Responds with the request as Next.js describes it.
async function echo(request) {
  const { method, headers } = request;
  const { pathname, search } = new URL(request.url);
  const body = Buffer.from(await request.arrayBuffer()).toString("base64");
  return Response.json({ method, target: pathname + search, headers: [...headers], body });
}

export { echo as DELETE, echo as GET, echo as PATCH, echo as POST, echo as PUT };
