// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

#include <gadget/buffer.h>
#include <gadget/common.h>
#include <gadget/filter.h>
#include <gadget/macros.h>
#include <gadget/types.h>

#define AF_INET 2
#define AF_INET6 10
#define ECONNABORTED 103

enum event_type {
	connect,
	accept,
	close,
};

struct event {
	gadget_timestamp timestamp_raw;
	gadget_netns_id netns_id;
	enum event_type type_raw;
	struct gadget_process proc;
	struct gadget_l4endpoint_t src;
	struct gadget_l4endpoint_t dst;
	gadget_errno error_raw;
	gadget_duration duration_raw;
};

const volatile bool connect_only = false;
GADGET_PARAM(connect_only);

const volatile bool failure_only = false;
GADGET_PARAM(failure_only);

GADGET_TRACER_MAP(events, 1024 * 1024);

GADGET_TRACER(tracetcp, events, event);

/* A connection that was seen to begin. `proc.pid` is 0 until it is known whose it is. */
struct connection {
	/* When it was first tried; once it stands, since when it does. */
	__u64 since_ns;
	bool is_discarded;
	struct gadget_process proc;
};

/* LRU, so that a connection whose end is missed does not take room for ever. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, const struct sock *);
	__type(value, struct connection);
} connections SEC(".maps");

static __always_inline void fill_endpoints(struct event *event, const struct sock *sk)
{
	const struct sock_common *common = &sk->__sk_common;
	__u8 version = 4;

	if (BPF_CORE_READ(common, skc_family) == AF_INET6) {
		version = 6;
		BPF_CORE_READ_INTO(&event->src.addr_raw.v6, common,
				   skc_v6_rcv_saddr.in6_u.u6_addr8);
		BPF_CORE_READ_INTO(&event->dst.addr_raw.v6, common, skc_v6_daddr.in6_u.u6_addr8);
	} else {
		__builtin_memset(&event->src.addr_raw, 0, sizeof(event->src.addr_raw));
		__builtin_memset(&event->dst.addr_raw, 0, sizeof(event->dst.addr_raw));
		event->src.addr_raw.v4 = BPF_CORE_READ(common, skc_rcv_saddr);
		event->dst.addr_raw.v4 = BPF_CORE_READ(common, skc_daddr);
	}
	/* Not skc_num: that is 0 already when a connection ends. */
	event->src.port = bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport));
	event->dst.port = bpf_ntohs(BPF_CORE_READ(common, skc_dport));
	event->src.proto_raw = event->dst.proto_raw = IPPROTO_TCP;
	event->src.version = event->dst.version = version;
}

static __always_inline void send_event(void *ctx, const struct sock *sk, enum event_type type,
				       const struct connection *connection, __u32 error,
				       __u64 now_ns)
{
	struct event *event;

	if (connection->is_discarded || (connect_only && type != connect) ||
	    (failure_only && !error))
		return;
	event = gadget_reserve_buf(&events, sizeof(*event));
	if (!event)
		return;
	event->timestamp_raw = now_ns;
	event->netns_id = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	event->type_raw = type;
	event->proc = connection->proc;
	fill_endpoints(event, sk);
	event->error_raw = error;
	event->duration_raw = now_ns - connection->since_ns;
	gadget_submit_buf(ctx, &events, event, sizeof(*event));
}

/* Only where the current task is the owner: a transition that a system call of its makes. */
static __always_inline void set_owner(struct connection *connection)
{
	connection->is_discarded = gadget_should_discard_data_current();
	gadget_process_populate(&connection->proc);
}

static __always_inline void begin(const struct sock *sk, bool is_ours, __u64 now_ns)
{
	struct connection connection = {};

	connection.since_ns = now_ns;
	if (is_ours)
		set_owner(&connection);
	else /* No filter by process lets an unknown one pass. */
		connection.is_discarded =
			gadget_should_discard_data(0, 0, 0, connection.proc.comm,
						   GADGET_INVALID_ID, GADGET_INVALID_ID);
	bpf_map_update_elem(&connections, &sk, &connection, BPF_ANY);
}

static __always_inline void end(void *ctx, const struct sock *sk, int oldstate, __u64 now_ns)
{
	struct connection *connection = bpf_map_lookup_elem(&connections, &sk);

	if (!connection)
		return;
	if (oldstate == TCP_SYN_SENT) {
		__u32 error = BPF_CORE_READ(sk, sk_err);

		/* Without an error it was the process that gave up. */
		send_event(ctx, sk, connect, connection, error ? error : ECONNABORTED, now_ns);
	} else {
		send_event(ctx, sk, close, connection, 0, now_ns);
	}
	bpf_map_delete_elem(&connections, &sk);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(set_state, const struct sock *sk, int oldstate, int newstate)
{
	struct connection *connection;
	__u64 now_ns;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	now_ns = bpf_ktime_get_boot_ns();

	switch (newstate) {
	case TCP_SYN_SENT:
		begin(sk, true, now_ns);
		break;
	case TCP_ESTABLISHED:
		if (oldstate == TCP_SYN_RECV) {
			/* In an interrupt. Whose it is turns out when it is accepted or closed. */
			begin(sk, false, now_ns);
			break;
		}
		connection = bpf_map_lookup_elem(&connections, &sk);
		if (!connection)
			break;
		send_event(ctx, sk, connect, connection, 0, now_ns);
		connection->since_ns = now_ns;
		break;
	case TCP_FIN_WAIT1:
	case TCP_LAST_ACK:
		/* The process closes; for one that was accepted by a way not seen it tells the owner. */
		connection = bpf_map_lookup_elem(&connections, &sk);
		if (connection && !connection->proc.pid)
			set_owner(connection);
		break;
	case TCP_CLOSE:
		end(ctx, sk, oldstate, now_ns);
		break;
	}
	return 0;
}

/* The TCP socket behind a descriptor of the current process that is known to be a socket's. */
static __always_inline const struct sock *sock_of_fd(int fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct file **files = task->files->fdt->fd;
	struct file *file = NULL;
	struct socket *socket;
	const struct sock *sk;

	bpf_probe_read_kernel(&file, sizeof(file), &files[fd]);
	socket = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	return BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP ? sk : NULL;
}

/*
 * No tracepoint tells who accepts. The classic kind is used for the two system calls that do, since
 * it costs other system calls less than a raw tracepoint that sees them all.
 */
static __always_inline int accepted(struct syscall_trace_exit *ctx)
{
	struct connection *connection;
	const struct sock *sk;
	long fd = ctx->ret;

	if (fd < 0)
		return 0;
	sk = sock_of_fd(fd);
	if (!sk)
		return 0;
	connection = bpf_map_lookup_elem(&connections, &sk);
	if (!connection)
		return 0;
	set_owner(connection);
	send_event(ctx, sk, accept, connection, 0, bpf_ktime_get_boot_ns());
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_accept")
int accept_exit(struct syscall_trace_exit *ctx)
{
	return accepted(ctx);
}

SEC("tracepoint/syscalls/sys_exit_accept4")
int accept4_exit(struct syscall_trace_exit *ctx)
{
	return accepted(ctx);
}

char LICENSE[] SEC("license") = "GPL";
