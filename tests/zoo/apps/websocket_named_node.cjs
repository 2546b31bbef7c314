// A WebSocket at a path that only the page's script names.
const http = require('node:http');
const crypto = require('node:crypto');
const KEY = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'text/html');
  response.end('<script>new WebSocket("wss://" + location.host + "/prices/today")</script>');
});
server.on('upgrade', (request, socket) => {
  if (request.url !== '/prices/today') return socket.destroy();
  const accept = crypto.createHash('sha1').update(request.headers['sec-websocket-key'] + KEY).digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n'
    + `Connection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  socket.on('data', () => socket.end());
});
server.listen(process.env.PORT);
