/** TLS by Node, over any stream of bytes: Deno's own can neither ask for client certificates nor change its own. */

import type { TLSSocket } from "node:tls";
import type { ByteStream } from "./http_connection.ts";
import type { TlsMaterial } from "./web_config_file.ts";

/** First byte of all that TLS clients say first. */
const HANDSHAKE = 22;
/** Alerts. Source: RFC 8446, section 6. */
const HANDSHAKE_FAILURE = 40;
const PROTOCOL_VERSION = 70;
const WHY_MS = 100;

/**
 * Shakes hands, once the client has begun to: until then, nothing that TLS needs is there.
 *
 * @param options.onBegin told of the client's first words.
 * @returns undefined if it does not come about; the stream is to be closed then.
 */
export async function acceptTls(
  stream: ByteStream,
  { material, onBegin }: { readonly material: TlsMaterial; readonly onBegin: () => void },
): Promise<ByteStream | undefined> {
  const { cert, key, clientCa, minVersion, maxVersion } = material;
  const first = (await stream.read())?.slice();
  if (first?.[0] !== HANDSHAKE) return undefined;
  onBegin();
  const mutual = clientCa !== undefined;
  // A server that does not listen: it alone tells whether the client is authorized.
  const server = process.getBuiltinModule("node:tls").createServer({
    cert,
    key,
    minVersion,
    maxVersion,
    ...(mutual && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
    ALPNProtocols: ["http/1.1"],
  });
  const secure = Promise.withResolvers<TLSSocket | undefined>();
  server.once("secureConnection", secure.resolve);
  server.once("tlsClientError", ({ message }) => {
    tellWhy(stream, message).catch(() => {}).finally(() => secure.resolve(undefined));
  });
  const raw = duplexOf(stream, first);
  // Why, Node tells a little later.
  raw.once("close", () => setTimeout(secure.resolve, WHY_MS, undefined));
  server.emit("connection", raw);
  const socket = await secure.promise;
  // The server has refused who has no certificate; this must hold whatever Node's server does.
  if (socket === undefined || (mutual && !socket.authorized)) return undefined;
  return streamOf(socket, stream);
}

/** What Node itself does only for its own sockets. */
async function tellWhy(stream: ByteStream, message: string): Promise<void> {
  // Later failures are encrypted.
  if (!message.startsWith("peer is incompatible")) return;
  const alert = /version|Tls1/i.test(message) ? PROTOCOL_VERSION : HANDSHAKE_FAILURE;
  await stream.write(Uint8Array.of(21, 3, 3, 0, 2, 2, alert));
}

/** A stream as Node has it. Ownership: the stream below stays open. */
function duplexOf(stream: ByteStream, first: Uint8Array): import("node:stream").Duplex {
  const { Duplex } = process.getBuiltinModule("node:stream");
  let begin: Uint8Array | undefined = first;
  const read = async () => {
    const piece = begin ?? (await stream.read())?.slice();
    begin = undefined;
    return piece;
  };
  const duplex = new Duplex({
    read: () => {
      read().then((piece) => duplex.push(piece ?? null), (error) => duplex.destroy(error));
    },
    write: (bytes, _encoding, done) => {
      stream.write(bytes).then(() => done(), done);
    },
    final: (done) => {
      stream.closeWrite().then(() => done(), done);
    },
  });
  // Whoever reads and writes hears of it.
  duplex.on("error", () => {});
  return duplex;
}

/** What is said in private on `below`. */
function streamOf(socket: TLSSocket, below: ByteStream): ByteStream {
  const pieces: AsyncIterator<Uint8Array> = socket[Symbol.asyncIterator]();
  let fail: (reason: Error) => void = () => {};
  socket.on("error", (error) => fail(error));
  socket.once("close", () => fail(new Deno.errors.ConnectionReset("closed")));
  // Node does not end what waits for a socket that is closed from this side.
  const untilClosed = <T>(wait: (resolve: (value: T) => void) => void) =>
    new Promise<T>((resolve, reject) => {
      fail = reject;
      if (socket.destroyed) reject(new Deno.errors.ConnectionReset("closed"));
      else wait(resolve);
    });
  return {
    peer: below.peer,
    read: () =>
      untilClosed((resolve) => {
        pieces.next().then(({ value, done }) => resolve(done ? undefined : value), fail);
      }),
    write: (bytes) =>
      untilClosed((resolve) => {
        socket.write(bytes, (error) => error ? fail(error) : resolve());
      }),
    closeWrite: () => {
      socket.end();
      return Promise.resolve();
    },
    close: () => {
      socket.destroy();
      below.close();
    },
  };
}
