// A timer twice a second.
setInterval(() => {}, 500);
require('http').createServer((request, response) => response.end('ok')).listen(process.env.PORT, '127.0.0.1');
