// A WebSocket at /live.
const crypto = require('crypto');
const server = require('http').createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html'); response.end('<script>new WebSocket("wss://" + location.host + "/ws")</script>');
});
server.on('upgrade', (request, socket) => {
  const key = crypto.createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ' + key + '\r\n\r\n');
});
server.listen(process.env.PORT, '127.0.0.1');
