package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
)

// printer is an exporter of spans that prints a line for each: those within
// another one are indented, and come before it, because they end before.
type printer struct {
	mu  sync.Mutex // guards out
	out io.Writer
}

// shown are the attributes that are printed.
var shown = map[string]bool{
	"memcached.answer": true, "server.address": true, "server.port": true, "error.type": true, "db.operation.batch.size": true,
}

// ExportSpans prints spans.
func (p *printer) ExportSpans(_ context.Context, spans []trace.ReadOnlySpan) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, span := range spans {
		var line strings.Builder
		if span.Parent().IsValid() {
			line.WriteString("  ")
		}
		fmt.Fprintf(&line, "%s (%s)", span.Name(), span.EndTime().Sub(span.StartTime()).Round(time.Microsecond))
		for _, kv := range span.Attributes() {
			if shown[string(kv.Key)] {
				fmt.Fprintf(&line, " %s=%s", kv.Key, kv.Value.Emit())
			}
		}
		if _, err := fmt.Fprintln(p.out, line.String()); err != nil {
			return err
		}
	}
	return nil
}

// Shutdown does nothing: every line is printed at once.
func (p *printer) Shutdown(context.Context) error { return nil }
