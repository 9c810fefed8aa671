/** TLS by Node, over any stream of bytes: Deno's own can neither ask for client certificates nor change its own. */

import type { TLSSocket } from "node:tls";
import type { ByteStream } from "./_http_connection.ts";
import type { TlsMaterial } from "./web_config_file.ts";

/** First byte of all that TLS clients say first. */
const HANDSHAKE = 22;

/**
 * Shakes hands, once the client has begun to: until then, nothing that TLS needs is there.
 *
 * @returns undefined if it does not come about; the stream is to be closed then.
 */
export async function acceptTls(
  stream: ByteStream,
  { cert, key, clientCa, minVersion, maxVersion }: TlsMaterial,
): Promise<ByteStream | undefined> {
  const first = (await stream.read())?.slice();
  if (first?.[0] !== HANDSHAKE) return undefined;
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
  server.on("tlsClientError", () => secure.resolve(undefined));
  const raw = duplexOf(stream, first);
  raw.once("close", () => secure.resolve(undefined));
  server.emit("connection", raw);
  const socket = await secure.promise;
  // The server has refused who has no certificate; this must hold whatever Node's server does.
  if (socket === undefined || (mutual && !socket.authorized)) return undefined;
  return streamOf(socket, stream);
}

/** A stream as Node has it. It is closed with the other. */
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
    destroy: (error, done) => {
      stream.close();
      done(error);
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
