"""An OTLP/gRPC collector for tests, on gRPC's own implementation. Prints what comes as lines of JSON.

Arguments: PORT [CERT KEY [CLIENT_CA]]. Lines of JSON on standard input say how calls are answered from then on:
{"answer": BASE64} takes them, {"code": N, "details": TEXT, "detailsBin": BASE64, "times": N} refuses so many.
"""

import base64
import concurrent.futures
import json
import sys

import grpc

METHOD = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
state = {"answer": b"", "refusal": None, "times": 0}


def tell(**facts):
    print(json.dumps(facts), flush=True)


def export(request, context):
    if state["times"] > 0:
        state["times"] -= 1
        refusal = state["refusal"]
        tell(kind="refused")
        if refusal.get("detailsBin"):
            details = base64.b64decode(refusal["detailsBin"])
            context.set_trailing_metadata((("grpc-status-details-bin", details),))
        codes = {code.value[0]: code for code in grpc.StatusCode}
        context.abort(codes[refusal["code"]], refusal["details"])
    headers = [[key, value] for key, value in context.invocation_metadata() if isinstance(value, str)]
    tell(kind="taken", body=base64.b64encode(request).decode(), headers=headers)
    return state["answer"]


class Handler(grpc.GenericRpcHandler):
    def service(self, call):
        if call.method == METHOD:
            return grpc.unary_unary_rpc_method_handler(export)
        return None


def main():
    port, *files = sys.argv[1:]
    pem = [open(file, "rb").read() for file in files]
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), [Handler()])
    if pem:
        client_ca = pem[2] if len(pem) > 2 else None
        credentials = grpc.ssl_server_credentials(
            [(pem[1], pem[0])], client_ca, client_ca is not None
        )
        port = server.add_secure_port(f"127.0.0.1:{port}", credentials)
    else:
        port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    tell(kind="port", port=port)
    for line in sys.stdin:
        order = json.loads(line)
        state["times"] = 0
        if "answer" in order:
            state["answer"] = base64.b64decode(order["answer"])
        else:
            state["refusal"] = order
            state["times"] = order["times"]
        tell(kind="ordered")


main()
