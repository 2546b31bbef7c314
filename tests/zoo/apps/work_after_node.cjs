// Seconds of work that begin after the response.
require('node:http').createServer((request, response) => {
  response.end('accepted');
  setTimeout(() => { for (const until = Date.now() + 3000; Date.now() < until;); }, 1500);
}).listen(process.env.PORT);
