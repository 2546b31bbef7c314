// Creates a folder for uploads beside the application.
const fs = require('fs'), http = require('http');
http.createServer((request, response) => {
  try { fs.mkdirSync('uploads', { recursive: true }); fs.writeFileSync('uploads/x', 'x'); response.end('ok'); }
  catch (error) { console.error(error); response.statusCode = 500; response.end('no'); }
}).listen(process.env.PORT, '127.0.0.1');
