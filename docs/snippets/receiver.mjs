import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const { SECRET, PORT = '9000' } = process.env;

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks); // The bytes as they came: parsed and written again they may differ.
    const expected = createHmac('sha256', SECRET).update(body).digest();
    const given = Buffer.from(request.headers['x-mes-signature'] ?? '', 'hex');
    const valid = given.length === expected.length && timingSafeEqual(given, expected);
    response.writeHead(valid ? 200 : 401).end();
    if (valid) console.log('received', JSON.parse(body).type, request.headers['webhook-id']);
  });
});
server.listen(Number(PORT), '127.0.0.1', () => console.log(`listening on port ${PORT}`));
