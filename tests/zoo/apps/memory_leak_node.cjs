// Keeps something of each request.
const kept = [];
require('http').createServer((request, response) => {
  kept.push(Buffer.alloc(100000, 1)); response.end('ok');
}).listen(process.env.PORT, '127.0.0.1');
