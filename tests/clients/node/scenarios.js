// One scenario, on one broker: node scenarios.js URL PREFIX SENTENCE. It passes when the process ends with 0.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { once } = require('node:events');
const { Inbox, main, quiet, scenario } = require('./stage.js');

scenario('a published message can be got with its properties', async (stage) => {
  const channel = await stage.channel();
  const { queue } = await channel.assertQueue(stage.name('queue'), { durable: false });
  const properties = {
    contentType: 'text/plain',
    contentEncoding: 'utf-8',
    headers: { text: 'grüße', number: -7, half: 0.5, list: [1, 'two', null], table: { flag: true } },
    deliveryMode: 2,
    priority: 3,
    correlationId: 'c-1',
    replyTo: 'answers',
    messageId: 'm-1',
    timestamp: 1700000000,
    type: 'greeting',
    userId: 'guest',
    appId: 'test',
  };
  channel.sendToQueue(queue, Buffer.from('hello'), properties);
  const message = await channel.get(queue, { noAck: true });
  assert.equal(message.content.toString(), 'hello');
  assert.deepEqual(message.fields, {
    deliveryTag: 1, redelivered: false, exchange: '', routingKey: queue, messageCount: 0,
  });
  for (const [key, value] of Object.entries(properties)) assert.deepEqual(message.properties[key], value, key);
});

scenario('an empty queue has nothing to get', async (stage) => {
  const channel = await stage.channel();
  const { queue } = await channel.assertQueue(stage.name('queue'), { durable: false });
  assert.equal(await channel.get(queue), false);
});

scenario('confirms can be waited for together', async (stage) => {
  const channel = await stage.confirmChannel();
  const { queue } = await channel.assertQueue(stage.name('queue'), { durable: true });
  const confirmed = [];
  for (let number = 0; number < 100; number++) {
    channel.sendToQueue(queue, Buffer.from('x'), { persistent: true }, (error) => confirmed.push(error));
  }
  await channel.waitForConfirms();
  assert.deepEqual(confirmed, Array(100).fill(null));
  assert.equal((await channel.checkQueue(queue)).messageCount, 100);
});

scenario('a consumer gets messages in order and acks them', async (stage) => {
  const channel = await stage.channel();
  const { queue } = await channel.assertQueue(stage.name('queue'), { durable: false });
  for (let number = 0; number < 10; number++) channel.sendToQueue(queue, Buffer.from(`${number}`));
  const inbox = new Inbox();
  const { consumerTag } = await channel.consume(queue, inbox.tell);
  for (let number = 0; number < 10; number++) {
    const message = await inbox.next();
    assert.equal(message.content.toString(), `${number}`);
    assert.equal(message.fields.consumerTag, consumerTag);
    channel.ack(message);
  }
  await channel.cancel(consumerTag);
  await channel.recover(); // nothing is left to be requeued
  assert.equal(await channel.get(queue), false);
});

scenario('a nacked message comes again', async (stage) => {
  const channel = await stage.channel();
  const { queue } = await channel.assertQueue(stage.name('queue'), { durable: false });
  channel.sendToQueue(queue, Buffer.from('again'));
  const inbox = new Inbox();
  await channel.consume(queue, inbox.tell);
  const first = await inbox.next();
  channel.nack(first, false, true);
  const second = await inbox.next();
  assert.deepEqual([first.fields.redelivered, second.fields.redelivered], [false, true]);
  assert.equal(second.content.toString(), 'again');
  channel.ack(second);
});

scenario('a rejected message does not come again', async (stage) => {
  const channel = await stage.channel();
  const { queue } = await channel.assertQueue(stage.name('queue'), { durable: false });
  for (const body of ['bad', 'good']) channel.sendToQueue(queue, Buffer.from(body));
  channel.reject(await channel.get(queue), false);
  const good = await channel.get(queue);
  assert.equal(good.content.toString(), 'good');
  channel.ack(good);
  await channel.recover();
  assert.equal(await channel.get(queue), false);
});

scenario('all that is unacked can be nacked at once', async (stage) => {
  const channel = await stage.channel();
  const { queue } = await channel.assertQueue(stage.name('queue'), { durable: false });
  for (const body of ['1', '2', '3']) channel.sendToQueue(queue, Buffer.from(body));
  for (let number = 0; number < 3; number++) await channel.get(queue);
  channel.nackAll(true);
  const bodies = [];
  for (let number = 0; number < 3; number++) bodies.push((await channel.get(queue)).content.toString());
  assert.deepEqual(bodies, ['1', '2', '3']);
});

scenario('a mandatory message without a queue is returned', async (stage) => {
  const channel = await stage.channel();
  const nowhere = stage.name('nowhere');
  const returned = once(channel, 'return');
  channel.publish('amq.direct', nowhere, Buffer.from('lost'), { mandatory: true });
  const [message] = await returned;
  assert.equal(message.content.toString(), 'lost');
  assert.deepEqual(message.fields, {
    replyCode: 312, replyText: 'NO_ROUTE', exchange: 'amq.direct', routingKey: nowhere,
  });
});

scenario('a returned message is confirmed after its return', async (stage) => {
  const channel = await stage.confirmChannel();
  const events = [];
  channel.on('return', () => events.push('return'));
  channel.sendToQueue(stage.name('nowhere'), Buffer.from('lost'), { mandatory: true }, () => events.push('confirm'));
  await channel.waitForConfirms();
  assert.deepEqual(events, ['return', 'confirm']);
});

scenario('a missing queue closes the channel and not the connection', async (stage) => {
  const connection = await stage.connect();
  const missing = stage.name('missing');
  const channel = quiet(await connection.createChannel());
  await assert.rejects(channel.checkQueue(missing), (error) => {
    assert.equal(error.code, 404);
    assert.match(error.message, new RegExp(`NOT_FOUND - no queue '${missing}' in vhost '/'`));
    return true;
  });
  const again = await connection.createChannel();
  await again.assertQueue(missing, { durable: false });
  assert.equal((await again.checkQueue(missing)).queue, missing);
});

scenario('an exclusive queue is refused to another connection', async (stage) => {
  const owner = await stage.channel();
  const stranger = await stage.channel();
  const { queue } = await owner.assertQueue(stage.name('queue'), { exclusive: true });
  await assert.rejects(stranger.consume(queue, () => {}), { code: 405 });
  owner.sendToQueue(queue, Buffer.from('mine'));
  assert.equal((await owner.get(queue, { noAck: true })).content.toString(), 'mine');
});

scenario('a server named queue has a name of the brokers', async (stage) => {
  const channel = await stage.channel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  assert.match(queue, /^amq\.gen-/);
});

scenario('a headers exchange looks at headers alone', async (stage) => {
  const channel = await stage.confirmChannel();
  const { exchange } = await channel.assertExchange(stage.name('exchange'), 'headers', { durable: false });
  const counts = {};
  for (const match of ['all', 'any']) {
    const { queue } = await channel.assertQueue(stage.name(match), { durable: false });
    await channel.bindQueue(queue, exchange, '', { 'x-match': match, shape: 'round', sides: 2 });
    counts[match] = queue;
  }
  for (const headers of [{ shape: 'round', sides: 2 }, { shape: 'round', sides: 1 }, { shape: 'square' }]) {
    channel.publish(exchange, 'ignored', Buffer.from('x'), { headers });
  }
  await channel.waitForConfirms();
  assert.equal((await channel.checkQueue(counts.all)).messageCount, 1);
  assert.equal((await channel.checkQueue(counts.any)).messageCount, 2);
});

scenario('prefetch holds messages back until an ack', async (stage) => {
  const channel = await stage.channel();
  const { queue } = await channel.assertQueue(stage.name('queue'), { durable: false });
  for (const body of ['1', '2', '3']) channel.sendToQueue(queue, Buffer.from(body));
  await channel.prefetch(1);
  const inbox = new Inbox();
  await channel.consume(queue, inbox.tell);
  for (const left of [2, 1, 0]) {
    const message = await inbox.next();
    assert.equal((await channel.checkQueue(queue)).messageCount, left);
    assert.equal(inbox.told.length, 0);
    channel.ack(message);
  }
});

scenario('prefetch can be shared by the consumers of a channel', async (stage) => {
  const channel = await stage.channel();
  const { queue } = await channel.assertQueue(stage.name('queue'), { durable: false });
  for (const body of ['1', '2', '3']) channel.sendToQueue(queue, Buffer.from(body));
  await channel.prefetch(2, true);
  const inbox = new Inbox();
  await channel.consume(queue, inbox.tell);
  await channel.consume(queue, inbox.tell);
  const first = await inbox.next();
  await inbox.next();
  assert.equal((await channel.checkQueue(queue)).messageCount, 1);
  assert.equal(inbox.told.length, 0);
  channel.ack(first);
  await inbox.next();
});

scenario('a large body comes back whole', async (stage) => {
  const channel = await stage.confirmChannel();
  const { queue } = await channel.assertQueue(stage.name('queue'), { durable: true });
  const large = crypto.randomBytes(1 << 20);
  channel.sendToQueue(queue, large, { persistent: true });
  await channel.waitForConfirms();
  const inbox = new Inbox();
  await channel.consume(queue, inbox.tell, { noAck: true });
  assert.ok((await inbox.next()).content.equals(large));
});

scenario('a consumer is told when its queue is deleted', async (stage) => {
  const channel = await stage.channel();
  const { queue } = await channel.assertQueue(stage.name('queue'), { durable: false });
  const inbox = new Inbox();
  await channel.consume(queue, inbox.tell);
  await channel.deleteQueue(queue);
  assert.equal(await inbox.next(), null);
  await channel.assertQueue(queue, { durable: false }); // the channel goes on
});

scenario('after a drop a new connection gets what was not acked', async (stage) => {
  const cable = await stage.cable();
  const connection = await stage.connect(cable.url);
  const channel = quiet(await connection.createChannel());
  const { queue } = await channel.assertQueue(stage.name('queue'), { durable: false });
  channel.sendToQueue(queue, Buffer.from('in hand'));
  const before = new Inbox();
  await channel.consume(queue, before.tell);
  assert.equal((await before.next()).fields.redelivered, false);
  const closed = new Inbox();
  connection.on('close', closed.tell);
  cable.cut();
  await closed.next();
  const again = await (await stage.connect(cable.url)).createChannel();
  const after = new Inbox();
  await again.consume(queue, after.tell, { noAck: true });
  const message = await after.next();
  assert.equal(message.content.toString(), 'in hand');
  assert.equal(message.fields.redelivered, true);
});

scenario('a recovering connection sets up its consumer again', async (stage) => {
  const cable = await stage.cable();
  const queue = stage.name('queue');
  const inbox = new Inbox();
  const setup = async (connection) => {
    const channel = quiet(await connection.createChannel());
    await channel.assertQueue(queue, { exclusive: true }); // gone with the old connection
    await channel.consume(queue, inbox.tell, { noAck: true });
    inbox.tell('ready');
  };
  await stage.connect(cable.url, { recovery: { initialDelay: 10, setup } });
  assert.equal(await inbox.next(), 'ready');
  cable.cut();
  assert.equal(await inbox.next(), 'ready');
  (await stage.channel()).sendToQueue(queue, Buffer.from('after'));
  assert.equal((await inbox.next()).content.toString(), 'after');
});

main(process.argv.slice(2));
