/** What the tests use of the decoder that protobufjs generates of the official definitions. */

interface Message {
  decode(bytes: Uint8Array): unknown;
  /** Takes OTLP's JSON too. */
  fromObject(json: unknown): unknown;
  toObject(
    message: unknown,
    options: { longs: StringConstructor; defaults: boolean; oneofs: boolean },
  ): unknown;
  encode(message: unknown): { finish(): Uint8Array<ArrayBuffer> };
}

declare const root: {
  readonly opentelemetry: {
    readonly proto: {
      readonly collector: {
        readonly metrics: {
          readonly v1: {
            readonly ExportMetricsServiceRequest: Message;
            readonly ExportMetricsServiceResponse: Message;
          };
        };
      };
    };
  };
};
export { root as default };
