// What scenarios have in common: names that are cleaned up, messages to wait for, a cable that can be cut.

const net = require('node:net');
const amqp = require('amqplib');

const scenarios = new Map();

function scenario(sentence, play) {
  scenarios.set(sentence, play);
}

// What is told to it is kept until someone asks for it.
class Inbox {
  told = [];
  asked = [];

  tell = (what) => {
    if (this.asked.length) this.asked.shift()(what);
    else this.told.push(what);
  };

  next() {
    if (this.told.length) return Promise.resolve(this.told.shift());
    return new Promise((resolve) => this.asked.push(resolve));
  }
}

// Passes bytes between clients and the broker, on a port of its own, until it is cut.
class Cable {
  sockets = new Set();

  static async lay(url) {
    const cable = new Cable();
    const broker = new URL(url);
    cable.server = net.createServer((client) => {
      const far = net.connect(Number(broker.port || 5672), broker.hostname);
      for (const [from, to] of [[client, far], [far, client]]) {
        cable.sockets.add(from);
        from.on('error', () => {});
        from.on('close', () => {
          cable.sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
    await new Promise((resolve) => cable.server.listen(0, '127.0.0.1', resolve));
    const near = new URL(url);
    near.hostname = '127.0.0.1';
    near.port = cable.server.address().port;
    cable.url = near.href;
    return cable;
  }

  cut() {
    for (const socket of this.sockets) socket.destroy();
  }

  takeAway() {
    this.cut();
    this.server.close();
  }
}

class Stage {
  names = [];
  connections = [];
  cables = [];

  constructor(url, prefix) {
    this.url = url;
    this.prefix = prefix;
  }

  name(stem) {
    this.names.push(`${this.prefix}.${stem}`);
    return this.names.at(-1);
  }

  async connect(url = this.url, options = undefined) {
    const connection = await amqp.connect(url, options);
    connection.on('error', () => {}); // told by 'close' as well, or by whatever call failed
    this.connections.push(connection);
    return connection;
  }

  async channel() {
    return quiet(await (await this.connect()).createChannel());
  }

  async confirmChannel() {
    return quiet(await (await this.connect()).createConfirmChannel());
  }

  async cable() {
    this.cables.push(await Cable.lay(this.url));
    return this.cables.at(-1);
  }

  async clear() {
    for (const connection of this.connections) await connection.close().catch(() => {}); // closed already
    for (const cable of this.cables) cable.takeAway();
    const connection = await amqp.connect(this.url);
    const channel = await connection.createChannel();
    for (const name of this.names) {
      await channel.deleteQueue(name);
      await channel.deleteExchange(name);
    }
    await connection.close();
  }
}

// A channel's errors are told by whatever call failed; unheard, they would end the process.
function quiet(channel) {
  channel.on('error', () => {});
  return channel;
}

// node scenarios.js URL PREFIX SENTENCE
async function main([url, prefix, sentence]) {
  const play = scenarios.get(sentence);
  if (!play) throw new Error(`no scenario "${sentence}"`);
  const stage = new Stage(url, prefix);
  try {
    await play(stage);
  } finally {
    await stage.clear();
  }
}

module.exports = { Inbox, main, quiet, scenario };
