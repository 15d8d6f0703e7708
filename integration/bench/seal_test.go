package main

import (
	"testing"
	"time"
)

func TestSealRow_Run(t *testing.T) {
	row := sealRow()
	metrics, err := row.measure(nil, ours, timing{warmup: time.Millisecond, duration: 2 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for _, metric := range []string{metricSeal, metricOpen} {
		if metrics[metric] <= 0 {
			t.Errorf("%s = %v µs, want more than nothing", metric, metrics[metric])
		}
	}
}
