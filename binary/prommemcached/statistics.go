package prommemcached

// statistic is a statistic of memcached and its name in memcached_exporter.
type statistic struct {
	group, stat, name, help string
}

func (s statistic) labelNames() []string {
	if s.group == "items" {
		return []string{"slab"}
	}
	return nil
}

// statistics are those that are numbers by themselves. Names that end in _total are
// counters, the others gauges.
var statistics = []statistic{
	{stat: "uptime", name: "uptime_seconds", help: "Time since the server started."},
	{stat: "time", name: "time_seconds", help: "The server's clock, in Unix time."},
	{stat: "rusage_user", name: "process_user_cpu_seconds_total", help: "Processor time of the server itself."},
	{stat: "rusage_system", name: "process_system_cpu_seconds_total", help: "Processor time of the system for the server."},
	{stat: "bytes_read", name: "read_bytes_total", help: "Bytes that came from clients."},
	{stat: "bytes_written", name: "written_bytes_total", help: "Bytes that went to clients."},
	{stat: "curr_connections", name: "current_connections", help: "Connections that are open."},
	{stat: "total_connections", name: "connections_total", help: "Connections that were opened."},
	{stat: "rejected_connections", name: "connections_rejected_total", help: "Connections refused because there were too many (maxconns_fast)."},
	{stat: "conn_yields", name: "connections_yielded_total", help: "Times that a connection had to let others go first (memcached -R)."},
	{stat: "listen_disabled_num", name: "connections_listener_disabled_total", help: "Times that the limit of connections was reached (memcached -c)."},
	{stat: "accepting_conns", name: "accepting_connections", help: "1 while the server takes connections."},
	{stat: "bytes", name: "current_bytes", help: "Bytes in use for items."},
	{stat: "limit_maxbytes", name: "limit_bytes", help: "Bytes that may be used for items (memcached -m)."},
	{stat: "curr_items", name: "current_items", help: "Items that are stored."},
	{stat: "total_items", name: "items_total", help: "Items that were stored since the start."},
	{stat: "evictions", name: "items_evicted_total", help: "Valid items that were removed to make room."},
	{stat: "reclaimed", name: "items_reclaimed_total", help: "Items stored in the place of expired ones."},
	{stat: "store_too_large", name: "item_too_large_total", help: "Items refused because they were too large."},
	{stat: "store_no_memory", name: "item_no_memory_total", help: "Items refused for want of memory."},
	{stat: "direct_reclaims", name: "direct_reclaims_total", help: "Times that a request had to make room itself."},
	{stat: "lru_crawler_starts", name: "lru_crawler_starts_total", help: "Times that the crawler for expired items was started."},
	{stat: "crawler_reclaimed", name: "lru_crawler_reclaimed_total", help: "Items that the crawler freed."},
	{stat: "crawler_items_checked", name: "lru_crawler_items_checked_total", help: "Items that the crawler looked at."},
	{stat: "moves_to_cold", name: "lru_crawler_moves_to_cold_total", help: "Items moved to the cold list."},
	{stat: "moves_to_warm", name: "lru_crawler_moves_to_warm_total", help: "Items moved to the warm list."},
	{stat: "moves_within_lru", name: "lru_crawler_moves_within_lru_total", help: "Items moved within the hot or the warm list."},

	{group: "settings", stat: "maxconns", name: "max_connections", help: "Connections that may be open (memcached -c)."},
	{group: "slabs", stat: "total_malloced", name: "malloced_bytes", help: "Bytes that were taken from the system for items."},

	{group: "items", stat: "number", name: "slab_current_items", help: "Items in the slab class."},
	{group: "items", stat: "age", name: "slab_items_age_seconds", help: "Age of the oldest item in the slab class."},
	{group: "items", stat: "number_hot", name: "slab_hot_items", help: "Items in the hot list."},
	{group: "items", stat: "number_warm", name: "slab_warm_items", help: "Items in the warm list."},
	{group: "items", stat: "number_cold", name: "slab_cold_items", help: "Items in the cold list."},
	{group: "items", stat: "evicted", name: "slab_items_evicted_total", help: "Valid items that were removed to make room."},
	{group: "items", stat: "evicted_nonzero", name: "slab_items_evicted_nonzero_total", help: "Those of them that had a time to live."},
	{group: "items", stat: "evicted_unfetched", name: "slab_items_evicted_unfetched_total", help: "Those of them that were never read."},
	{group: "items", stat: "expired_unfetched", name: "slab_items_expired_unfetched_total", help: "Items that expired without being read."},
	{group: "items", stat: "evicted_time", name: "slab_items_evicted_time_seconds", help: "How long the last one removed had not been used."},
	{group: "items", stat: "outofmemory", name: "slab_items_outofmemory_total", help: "Items refused for want of memory."},
	{group: "items", stat: "reclaimed", name: "slab_items_reclaimed_total", help: "Items stored in the place of expired ones."},
	{group: "items", stat: "tailrepairs", name: "slab_items_tailrepairs_total", help: "Items that were lost to a fault and repaired."},
	{group: "items", stat: "crawler_reclaimed", name: "slab_items_crawler_reclaimed_total", help: "Items that the crawler freed."},
	{group: "items", stat: "mem_requested", name: "slab_mem_requested_bytes", help: "Bytes that the items themselves take."},
}
