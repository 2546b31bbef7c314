// Receives an event that is no HTTP request: from a queue, a schedule, a bucket.
// A client can POST here too, but the adapter lets only such events have this value.
export async function POST(request) {
  if (request.headers.get("x-amzn-request-context") !== "null") {
    return new Response("Forbidden\n", { status: 403 });
  }
  return Response.json({ received: await request.json() });
}
