package main

import (
	"fmt"
	"os"
	"strings"
)

// The README shows figures between these lines, the same as RESULTS.md.
const (
	figuresBegin = "<!-- figures of the last run, written by make bench -->\n"
	figuresEnd   = "<!-- end of figures -->\n"
)

// figureRows are what the first table of figures shows.
var figureRows = []struct{ row, title string }{
	{"get1", "Get of 100 bytes, 1 caller"},
	{"get8", "8 callers"},
	{"get8awake", "8 callers, processors kept awake"},
	{"get64", "64 callers"},
	{"get512", "512 callers"},
	{"set64", "Set of 100 bytes, 64 callers"},
	{"mixed64", "90 % Get, 10 % Set of 4 KiB, 64 callers"},
	{"getmulti16", "GetMulti of 100 keys, 16 callers"},
}

// figurePeers are whom it shows.
var figurePeers = []struct{ peer, title string }{
	{gomemcache, "gomemcache"},
	{mcClient, "mc"},
	{gomemcached, "gomemcached"},
	{rueidisClient, "rueidis on Redis"},
	{goredisClient, "go-redis on Redis"},
}

// figureLayers are what the second table shows: the layers above the client.
var figureLayers = []struct{ row, against, title string }{
	{"storeget64", gocacheMemcache, "gocache Get, 64 callers | gocache's memcache store"},
	{"storeget64", gocacheRedis, "gocache Get, 64 callers | gocache's redis store"},
	{"page64", ginContribCache, "cached page of 2 KB, 64 connections | gin-contrib/cache over memcached"},
	{"page64", ginCacheRedis, "cached page of 2 KB, 64 connections | gin-cache over Redis"},
	{"session64", ginContribSession, "session that is read, 64 connections | gin-contrib/sessions over memcached"},
	{"session64", ginContribRedis, "session that is read, 64 connections | gin-contrib/sessions over Redis"},
}

// figures returns the tables of what a reader wants to know first, with the lines
// around them, or "" where nothing of it was measured. Contestants and rows that
// were not measured are left out.
func figures(r *results) string {
	var b strings.Builder
	writeFigurePeers(&b, r)
	head := "\n| work | beside | times |\n| --- | --- | --- |\n"
	for _, f := range figureLayers {
		if s := r.ratio(f.row, ours, metricRate, f.row, f.against); s.rounds > 0 {
			fmt.Fprintf(&b, "%s| %s | %s |\n", head, f.title, ratioText(s.median))
			head = ""
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return figuresBegin + strings.TrimPrefix(b.String(), "\n") + figuresEnd
}

func writeFigurePeers(b *strings.Builder, r *results) {
	var line, rule strings.Builder
	line.WriteString("| times the throughput of |")
	rule.WriteString("| --- |")
	shown := figurePeers[:0:0]
	for _, p := range figurePeers {
		for _, f := range figureRows {
			if r.ratio(f.row, ours, metricRate, f.row, p.peer).rounds > 0 {
				shown = append(shown, p)
				fmt.Fprintf(&line, " %s |", p.title)
				rule.WriteString(" --- |")
				break
			}
		}
	}
	head := line.String() + "\n" + rule.String() + "\n"
	for _, f := range figureRows {
		if len(shown) == 0 || r.absolute(f.row, ours, metricRate).rounds == 0 {
			continue
		}
		fmt.Fprintf(b, "%s| %s |", head, f.title)
		head = ""
		for _, p := range shown {
			fmt.Fprintf(b, " %s |", orDash(r.ratio(f.row, ours, metricRate, f.row, p.peer).median, ratioText))
		}
		b.WriteString("\n")
	}
}

// putFigures replaces the figures in the file at path, if there is one. One
// without a place for them stays as it is.
func putFigures(path, table string) error {
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) || table == "" {
		return nil
	}
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), figuresBegin)
	_, after, closed := strings.Cut(rest, figuresEnd)
	if !ok || !closed {
		return nil
	}
	return os.WriteFile(path, []byte(before+table+after), 0o644)
}
