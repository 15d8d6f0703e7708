package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestReadWrk(t *testing.T) {
	const good = "Running 1s test\nTransfer/sec: 1MB\n\n" + `{"Requests":1000,"Microseconds":2000000,"Bytes":500000,"Failed":0,"P50":250.5,"P99":900}` + "\n"
	load, err := readWrk(good, 500)
	if err != nil {
		t.Fatal(err)
	}
	want := webLoad{requests: 1000, elapsed: 2 * time.Second, p50: 250500 * time.Nanosecond, p99: 900 * time.Microsecond}
	if load != want {
		t.Errorf("readWrk = %+v, want %+v", load, want)
	}
	tests := map[string]struct{ out, want string }{
		"no report":   {"unable to connect", "no report"},
		"half a one":  {strings.TrimSuffix(good, "}\n"), "report"},
		"failures":    {strings.Replace(good, `"Failed":0`, `"Failed":3`, 1), "3 of 1000 requests failed"},
		"no requests": {strings.Replace(good, `"Requests":1000`, `"Requests":0`, 1), "no answer"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := readWrk(test.out, 500); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("readWrk = %v, want %q", err, test.want)
			}
		})
	}
	if _, err := readWrk(good, 600); !errors.Is(err, errWrongValue) {
		t.Errorf("readWrk of smaller responses = %v, want errWrongValue", err)
	}
}

func TestRunWrk_SaysWhatIsMissing(t *testing.T) {
	t.Setenv("PATH", "")
	if _, err := runWrk(t.Context(), anywhere, appPage{}, 1, time.Second); !errors.Is(err, errNoWrk) {
		t.Errorf("runWrk = %v, want errNoWrk", err)
	}
}

func TestRunWrk_ReportsAServerThatIsNotThere(t *testing.T) {
	if _, err := runWrk(t.Context(), anywhere, appPage{URL: "http://127.0.0.1:1/"}, 1, time.Millisecond); err == nil {
		t.Error("runWrk gives no error")
	}
}
