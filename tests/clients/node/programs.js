// Small programs as people write them with amqplib, each as one scenario: node programs.js URL PREFIX SENTENCE.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { Inbox, main, quiet, scenario } = require('./stage.js');

scenario('a work queue is shared out and survives a worker', async (stage) => {
  const boss = await stage.confirmChannel();
  const { queue } = await boss.assertQueue(stage.name('tasks'), { durable: true });
  const done = new Inbox();
  const cable = await stage.cable();
  const hire = async (url, work) => {
    const connection = await stage.connect(url);
    const channel = quiet(await connection.createChannel());
    await channel.prefetch(1);
    await channel.consume(queue, (message) => work(message, channel));
  };
  await hire(stage.url, (message, channel) => {
    done.tell({ task: message.content.toString(), redelivered: message.fields.redelivered });
    channel.ack(message);
  });
  await hire(cable.url, () => cable.cut()); // with the task in hand
  for (let number = 0; number < 20; number++) boss.sendToQueue(queue, Buffer.from(`${number}`), { persistent: true });
  await boss.waitForConfirms();
  const tasks = [];
  for (let number = 0; number < 20; number++) tasks.push(await done.next());
  assert.deepEqual(tasks.map(({ task }) => Number(task)).sort((a, b) => a - b), [...Array(20).keys()]);
  assert.equal(tasks.filter(({ redelivered }) => redelivered).length, 1);
  assert.equal((await boss.checkQueue(queue)).messageCount, 0);
});

scenario('remote procedure calls go over direct reply to', async (stage) => {
  const server = await stage.channel();
  const { queue } = await server.assertQueue(stage.name('rpc'), { durable: false });
  await server.consume(queue, (message) => {
    const number = Number(message.content.toString());
    const { replyTo, correlationId } = message.properties;
    server.sendToQueue(replyTo, Buffer.from(`${number * number}`), { correlationId });
    server.ack(message);
  });
  const client = await stage.channel();
  const waiting = new Map();
  await client.consume('amq.rabbitmq.reply-to', (message) => {
    waiting.get(message.properties.correlationId)(Number(message.content.toString()));
  }, { noAck: true });
  const square = (number) => new Promise((resolve) => {
    const correlationId = crypto.randomUUID();
    waiting.set(correlationId, resolve);
    client.sendToQueue(queue, Buffer.from(`${number}`), { correlationId, replyTo: 'amq.rabbitmq.reply-to' });
  });
  const numbers = [...Array(50).keys()];
  assert.deepEqual(await Promise.all(numbers.map(square)), numbers.map((number) => number * number));
});

scenario('logs are chosen by topic', async (stage) => {
  const channel = await stage.confirmChannel();
  const { exchange } = await channel.assertExchange(stage.name('logs'), 'topic', { durable: false });
  const wanted = { all: ['#'], kernel: ['kern.*'], critical: ['*.critical'], either: ['kern.*', '*.critical'] };
  const queues = {};
  for (const [listener, patterns] of Object.entries(wanted)) {
    ({ queue: queues[listener] } = await channel.assertQueue('', { exclusive: true }));
    for (const pattern of patterns) await channel.bindQueue(queues[listener], exchange, pattern);
  }
  for (const key of ['kern.critical', 'kern.info', 'cron.critical', 'cron.info', 'cron.critical.today', '']) {
    channel.publish(exchange, key, Buffer.from(key));
  }
  await channel.waitForConfirms();
  const heard = {};
  for (const [listener, queue] of Object.entries(queues)) heard[listener] = (await channel.checkQueue(queue)).messageCount;
  assert.deepEqual(heard, { all: 6, kernel: 2, critical: 2, either: 3 });
});

scenario('a confirm channel tells of each message what became of it', async (stage) => {
  const channel = await stage.confirmChannel();
  const { queue } = await channel.assertQueue(stage.name('full'), {
    durable: true, maxLength: 3, arguments: { 'x-overflow': 'reject-publish' },
  });
  const fates = [];
  for (let number = 0; number < 5; number++) {
    const sent = new Promise((resolve, reject) => {
      channel.sendToQueue(queue, Buffer.from('x'), { persistent: true }, (error) => (error ? reject(error) : resolve()));
    });
    fates.push(await sent.then(() => 'ack', () => 'nack'));
  }
  assert.deepEqual(fates, ['ack', 'ack', 'ack', 'nack', 'nack']);
  assert.equal((await channel.checkQueue(queue)).messageCount, 3);
});

scenario('an alternate exchange catches what mandatory would return', async (stage) => {
  const channel = await stage.confirmChannel();
  const unrouted = await channel.assertExchange(stage.name('unrouted'), 'fanout', { durable: false });
  const orders = await channel.assertExchange(stage.name('orders'), 'direct', {
    durable: false, alternateExchange: unrouted.exchange,
  });
  const returned = new Inbox();
  channel.on('return', returned.tell);
  channel.publish(orders.exchange, 'nobody', Buffer.from('first'), { mandatory: true });
  await channel.waitForConfirms();
  assert.equal((await returned.next()).content.toString(), 'first'); // the alternate has no queue either
  const { queue } = await channel.assertQueue(stage.name('lost and found'), { durable: false });
  await channel.bindQueue(queue, unrouted.exchange, '');
  channel.publish(orders.exchange, 'nobody', Buffer.from('second'), { mandatory: true });
  await channel.waitForConfirms();
  assert.equal(returned.told.length, 0);
  const found = await channel.get(queue, { noAck: true });
  assert.equal(found.content.toString(), 'second');
  assert.deepEqual([found.fields.exchange, found.fields.routingKey], [orders.exchange, 'nobody']);
});

scenario('failed work is tried again after a while and then given up', async (stage) => {
  const channel = await stage.confirmChannel();
  const { exchange } = await channel.assertExchange(stage.name('exchange'), 'direct', { durable: true });
  const work = stage.name('work');
  const retry = stage.name('retry');
  await channel.assertQueue(work, { deadLetterExchange: exchange, deadLetterRoutingKey: 'retry' });
  await channel.assertQueue(retry, { messageTtl: 20, deadLetterExchange: exchange, deadLetterRoutingKey: 'work' });
  const { queue: failed } = await channel.assertQueue(stage.name('failed'));
  await channel.bindQueue(work, exchange, 'work');
  await channel.bindQueue(retry, exchange, 'retry');
  await channel.bindQueue(failed, exchange, 'failed');
  const ends = new Inbox();
  const attempts = [];
  await channel.consume(work, (message) => {
    const deaths = message.properties.headers['x-death'] || [];
    const rejected = deaths.find(({ queue, reason }) => queue === work && reason === 'rejected');
    attempts.push(rejected ? rejected.count : 0);
    if (attempts.length < 4) return channel.nack(message, false, false);
    channel.publish(exchange, 'failed', message.content, { headers: message.properties.headers });
    return channel.ack(message);
  });
  await channel.consume(failed, ends.tell, { noAck: true });
  channel.publish(exchange, 'work', Buffer.from('hopeless'), { persistent: true });
  const end = await ends.next();
  assert.equal(end.content.toString(), 'hopeless');
  assert.deepEqual(attempts, [0, 1, 2, 3]);
  const deaths = end.properties.headers['x-death'].map(({ queue, reason, count }) => [queue, reason, Number(count)]);
  assert.deepEqual(deaths, [[retry, 'expired', 3], [work, 'rejected', 3]]);
  assert.equal(end.properties.headers['x-first-death-queue'], work);
});

scenario('a consumer whose queue was deleted declares it again', async (stage) => {
  const channel = await stage.channel();
  const admin = await stage.channel();
  const queue = stage.name('queue');
  const inbox = new Inbox();
  const listen = async () => {
    await channel.assertQueue(queue, { durable: true });
    await channel.consume(queue, async (message) => {
      if (message === null) {
        await listen();
        inbox.tell('listening again');
      } else {
        inbox.tell(message.content.toString());
        channel.ack(message);
      }
    });
  };
  await listen();
  for (let round = 0; round < 3; round++) {
    admin.sendToQueue(queue, Buffer.from(`${round}`));
    assert.equal(await inbox.next(), `${round}`);
    await admin.deleteQueue(queue);
    assert.equal(await inbox.next(), 'listening again');
  }
});

scenario('publisher and consumer recover from drops and lose nothing confirmed', async (stage) => {
  const cable = await stage.cable();
  const queue = stage.name('queue');
  const seen = new Set();
  const all = new Inbox();
  const recovery = { initialDelay: 5, maxDelay: 50 };
  const consumer = await stage.connect(cable.url, {
    recovery: {
      ...recovery,
      setup: async (connection) => {
        const channel = quiet(await quiet(connection).createChannel());
        await channel.assertQueue(queue, { durable: true });
        await channel.prefetch(10);
        await channel.consume(queue, (message) => {
          seen.add(Number(message.content.toString()));
          channel.ack(message);
          if (seen.size === 60) all.tell('all');
        });
      },
    },
  });
  assert.ok(consumer);
  let current;
  const open = new Inbox();
  await stage.connect(cable.url, {
    recovery: {
      ...recovery,
      setup: async (connection) => {
        current = quiet(await quiet(connection).createConfirmChannel());
        open.tell('open');
      },
    },
  });
  await open.next();
  const confirmed = (number) => new Promise((resolve, reject) => {
    current.sendToQueue(queue, Buffer.from(`${number}`), { persistent: true }, (error) => (error ? reject(error) : resolve()));
  });
  for (let number = 0; number < 60; number++) {
    if (number % 20 === 10) cable.cut();
    while (!(await confirmed(number).then(() => true, () => false))) await open.next(); // there is a channel again
  }
  assert.equal(await all.next(), 'all');
});

scenario('a stream is read from where one likes and by many', async (stage) => {
  const channel = await stage.confirmChannel();
  const { queue } = await channel.assertQueue(stage.name('stream'), {
    durable: true, arguments: { 'x-queue-type': 'stream', 'x-max-length-bytes': 1e8 },
  });
  for (let number = 0; number < 100; number++) channel.sendToQueue(queue, Buffer.from(`${number}`));
  await channel.waitForConfirms();
  const read = async (offset, count) => {
    const reader = await stage.channel();
    await reader.prefetch(10);
    const inbox = new Inbox();
    await reader.consume(queue, inbox.tell, { arguments: { 'x-stream-offset': offset } });
    const found = [];
    while (found.length < count) {
      const message = await inbox.next();
      found.push([Number(message.properties.headers['x-stream-offset']), message.content.toString()]);
      reader.ack(message);
    }
    return found;
  };
  const expected = (from) => [...Array(100 - from).keys()].map((number) => [number + from, `${number + from}`]);
  assert.deepEqual(await read('first', 100), expected(0));
  assert.deepEqual(await read(95, 5), expected(95));
  assert.deepEqual(await read({ '!': 'timestamp', value: 0 }, 100), expected(0));
  const reader = await stage.channel();
  await reader.prefetch(1);
  const next = new Inbox();
  await reader.consume(queue, next.tell, { arguments: { 'x-stream-offset': 'next' } });
  channel.sendToQueue(queue, Buffer.from('news'));
  assert.equal((await next.next()).content.toString(), 'news');
});

scenario('bodies larger than many frames come back whole and in order', async (stage) => {
  const connection = await stage.connect(`${stage.url}?frameMax=4096`);
  const channel = quiet(await connection.createConfirmChannel());
  const { queue } = await channel.assertQueue(stage.name('queue'), { durable: true });
  const sizes = [0, 1, 4087, 4088, 4089, 8176, 300_000, 3_000_000];
  const bodies = sizes.map((size) => crypto.randomBytes(size));
  for (const body of bodies) channel.sendToQueue(queue, body, { persistent: true });
  await channel.waitForConfirms();
  const wide = await stage.channel();
  const inbox = new Inbox();
  await wide.consume(queue, inbox.tell, { noAck: true });
  for (const body of bodies) assert.ok((await inbox.next()).content.equals(body), `${body.length} bytes`);
});

scenario('headers of every type come back', async (stage) => {
  const channel = await stage.channel();
  const { queue } = await channel.assertQueue(stage.name('queue'), { durable: false });
  const typed = (type, value) => ({ '!': type, value });
  const plain = {
    string: 'grüße', long: 'x'.repeat(40_000), yes: true, no: false, nothing: null, byte: -7, short: -300, int: 70_000,
    large: 2 ** 40, negative: -(2 ** 40), double: 0.1, list: [1, 'two', [null, { three: 3.5 }]], table: { of: { tables: {} } },
    buffer: Buffer.from([0, 255, 254]), '': 'a name that is empty',
  };
  const exotic = {
    uint8: typed('uint8', 200), uint16: typed('uint16', 60_000), uint32: typed('uint32', 4_000_000_000),
    float: typed('float', 0.5), when: typed('timestamp', 1_700_000_000), price: typed('decimal', { places: 2, digits: 1234 }),
  };
  channel.sendToQueue(queue, Buffer.from('x'), { headers: { ...plain, ...exotic } });
  const { headers } = (await channel.get(queue, { noAck: true })).properties;
  for (const [name, value] of Object.entries(plain)) assert.deepEqual(headers[name], value, name);
  assert.deepEqual(
    [headers.uint8, headers.uint16, headers.uint32, headers.float],
    [200, 60_000, 4_000_000_000, 0.5],
  );
  assert.deepEqual(headers.when, exotic.when);
  assert.deepEqual(headers.price, exotic.price);
});

scenario('a hundred channels work side by side', async (stage) => {
  const connection = await stage.connect();
  const { exchange } = await (await connection.createChannel()).assertExchange(stage.name('exchange'), 'fanout', { durable: false });
  const inbox = new Inbox();
  await Promise.all([...Array(100).keys()].map(async () => {
    const channel = quiet(await connection.createChannel());
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, exchange, '');
    await channel.consume(queue, (message) => {
      channel.ack(message);
      inbox.tell(message.content.toString());
    });
  }));
  const publisher = await connection.createChannel();
  for (let number = 0; number < 10; number++) publisher.publish(exchange, '', Buffer.from('x'));
  for (let number = 0; number < 1000; number++) assert.equal(await inbox.next(), 'x');
});

main(process.argv.slice(2));
