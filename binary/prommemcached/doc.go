// Package prommemcached gives Prometheus the numbers of a memcached client:
//
//	client, err := memcached.New(servers, nil)
//	…
//	registry.MustRegister(prommemcached.NewCollector(client, nil))
//
// and a histogram of the durations of operations:
//
//	tracer := prommemcached.NewTracer(nil)
//	registry.MustRegister(tracer)
//	client, err := memcached.New(servers, &memcached.Options{Tracer: tracer})
//
// It is a module of its own, so that only its users have Prometheus in their
// go.mod.
//
// # Metrics of a Collector
//
// They are read from memcached.Client.Stats at every scrape:
//
//	memcached_client_gets_total{result}                keys asked for: hit, miss, failed
//	memcached_client_operations_total                  operations on servers
//	memcached_client_operation_errors_total            those that ended in a fault
//	memcached_client_operation_timeouts_total          … because time ran out
//	memcached_client_operation_cancellations_total     … because the context was cancelled
//	memcached_client_operation_retries_total           those that were sent a second time
//	memcached_client_server_up{server}                 1, or 0 while it rests after a failure
//	memcached_client_server_ejected{server}            1 while the distribution leaves it out
//	memcached_client_server_connections{server}        open now
//	memcached_client_server_operations_in_flight{server}
//	memcached_client_server_operations_total{server}
//	memcached_client_server_operation_errors_total{server}
//	memcached_client_server_dials_total{server}        connections opened
//	memcached_client_server_dial_errors_total{server}  attempts that failed
//
// The hit ratio of the last five minutes is
//
//	sum(rate(memcached_client_gets_total{result="hit"}[5m]))
//	  / sum(rate(memcached_client_gets_total{result=~"hit|miss"}[5m]))
//
// When a server leaves the client (SetServers), its series end, and the totals
// keep its operations. A program with several clients gives each Collector a
// label of its own in Options.Labels.
//
// # Metrics of a ServerCollector
//
// What the servers count themselves, under the names of memcached_exporter, with
// the label server in place of one target for each:
//
//	registry.MustRegister(prommemcached.NewServerCollector(client, nil))
//
// memcached_exporter speaks the text protocol and cannot log in; this collector
// uses the client's connections, with SASL and TLS. There are memcached_up,
// memcached_version{version}, memcached_commands_total{command,status}, and for
// connections, memory, items, processor time and traffic what memcached_exporter
// has; memcached_slab_* by slab class. Metrics of slabs' commands, of external
// storage and of the proxy are left out.
//
// # Dashboard and alerts
//
// The module's folder has grafana.json, a dashboard to import, and alerts.yml,
// rules for Prometheus. Both are about the metrics of this package.
//
// # Metrics of a Tracer
//
//	memcached_client_operation_duration_seconds{operation,result}
//
// is a histogram. operation is the name that the client's errors give, such as
// "get" and "get_multi"; result is "ok", "miss", "not_stored", "cas_conflict",
// "timeout", "canceled" or "error". Neither keys nor values are in any label.
package prommemcached
