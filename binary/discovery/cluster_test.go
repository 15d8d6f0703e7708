package discovery

import (
	"bufio"
	"errors"
	"io"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// twoNodes is the example of Amazon's documentation, lengths included.
const twoNodes = "CONFIG cluster 0 147\r\n" +
	"12\n" +
	"myCluster.pc4ldq.0001.use1.cache.amazonaws.com|10.82.235.120|11211 myCluster.pc4ldq.0002.use1.cache.amazonaws.com|10.80.249.27|11211\n" +
	"\r\nEND\r\n"

func read(answer string) (Cluster, error) {
	return readCluster(bufio.NewReader(strings.NewReader(answer)))
}

func TestReadCluster_TwoNodes(t *testing.T) {
	want := Cluster{Version: 12, Nodes: []Node{
		{"myCluster.pc4ldq.0001.use1.cache.amazonaws.com", netip.MustParseAddr("10.82.235.120"), 11211},
		{"myCluster.pc4ldq.0002.use1.cache.amazonaws.com", netip.MustParseAddr("10.80.249.27"), 11211},
	}}
	for name, answer := range map[string]string{
		"config":            twoNodes,
		"older engine":      strings.Replace(twoNodes, "CONFIG cluster", "VALUE AmazonElastiCache:cluster", 1),
		"wrong length":      strings.Replace(twoNodes, "147", "99999999999999999999", 1),
		"no length":         strings.Replace(twoNodes, " 0 147", "", 1),
		"CRLF all over":     strings.ReplaceAll(strings.ReplaceAll(twoNodes, "\r", ""), "\n", "\r\n"),
		"LF all over":       strings.ReplaceAll(twoNodes, "\r", ""),
		"no empty line":     strings.Replace(twoNodes, "\n\r\n", "\r\n", 1),
		"spaces at the end": strings.Replace(twoNodes, "|11211\n", "|11211 \n", 1),
	} {
		for _, r := range []io.Reader{strings.NewReader(answer), iotest.OneByteReader(strings.NewReader(answer))} {
			if c, err := readCluster(bufio.NewReader(r)); err != nil || !reflect.DeepEqual(c, want) {
				t.Errorf("%s: %+v, %v, want %+v", name, c, err, want)
			}
		}
	}
}

func TestReadCluster_NodesByNameOrAddress(t *testing.T) {
	c, err := read("CONFIG cluster 0 0\r\n1\ncache.example|10.0.0.1|11211 |2001:db8::1|11212 only.name||1 |::ffff:10.0.0.2|65535\n\r\nEND\r\n")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][2]string{
		{"cache.example:11211", "10.0.0.1:11211"},
		{"[2001:db8::1]:11212", "[2001:db8::1]:11212"},
		{"only.name:1", "only.name:1"},
		{"10.0.0.2:65535", "10.0.0.2:65535"},
	} {
		if got := [2]string{c.Nodes[i].server(false), c.Nodes[i].server(true)}; got != want {
			t.Errorf("node %d is %q by name and address, want %q", i, got, want)
		}
	}
}

func TestReadCluster_Malformed(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		want   error  // or
		text   string // a part of the text
	}{
		"nothing":            {"", io.ErrUnexpectedEOF, ""},
		"half a head":        {"CONFIG clus", io.ErrUnexpectedEOF, ""},
		"no end":             {strings.TrimSuffix(twoNodes, "END\r\n"), io.ErrUnexpectedEOF, ""},
		"half an end":        {strings.TrimSuffix(twoNodes, "D\r\n"), io.ErrUnexpectedEOF, ""},
		"unknown command":    {"ERROR\r\n", errUnknown, ""},
		"no configuration":   {"END\r\n", errNoConfig, ""},
		"server error":       {"SERVER_ERROR out of memory\r\n", nil, `"SERVER_ERROR out of memory"`},
		"another protocol":   {"HTTP/1.1 400 Bad Request\r\n", nil, `"HTTP/1.1 400 Bad Request": want CONFIG`},
		"empty":              {"CONFIG cluster 0 0\r\n\r\nEND\r\n", nil, "empty"},
		"no version":         {"CONFIG cluster 0 9\r\na|1.1.1.1|1\n\r\nEND\r\n", nil, "version"},
		"negative version":   {"CONFIG cluster 0 9\r\n-1\na|1.1.1.1|1\n\r\nEND\r\n", nil, "version"},
		"third line":         {"CONFIG cluster 0 9\r\n1\na|1.1.1.1|1\nb|1.1.1.1|1\n\r\nEND\r\n", nil, "more than two lines"},
		"two fields":         {"CONFIG cluster 0 9\r\n1\na|1\n\r\nEND\r\n", nil, "host|address|port"},
		"four fields":        {"CONFIG cluster 0 9\r\n1\na|1.1.1.1|1|1\n\r\nEND\r\n", nil, "host|address|port"},
		"neither of both":    {"CONFIG cluster 0 9\r\n1\n||1\n\r\nEND\r\n", nil, "host|address|port"},
		"no port":            {"CONFIG cluster 0 9\r\n1\na|1.1.1.1|\n\r\nEND\r\n", nil, "host|address|port"},
		"port 0":             {"CONFIG cluster 0 9\r\n1\na|1.1.1.1|0\n\r\nEND\r\n", nil, "host|address|port"},
		"large port":         {"CONFIG cluster 0 9\r\n1\na|1.1.1.1|65536\n\r\nEND\r\n", nil, "host|address|port"},
		"address is none":    {"CONFIG cluster 0 9\r\n1\na|1.1.1|1\n\r\nEND\r\n", nil, "host|address|port"},
		"host is a path":     {"CONFIG cluster 0 9\r\n1\n/run/x|1.1.1.1|1\n\r\nEND\r\n", nil, "host|address|port"},
		"host is long":       {"CONFIG cluster 0 9\r\n1\n" + strings.Repeat("a", 254) + "|1.1.1.1|1\n\r\nEND\r\n", nil, "host|address|port"},
		"endless line":       {"CONFIG " + strings.Repeat("x", 1<<20), errTooLong, ""},
		"endless node line":  {"CONFIG cluster 0 9\r\n1\n" + strings.Repeat("a|1.1.1.1|1 ", 1<<16), errTooLong, ""},
		"endless empty line": {"CONFIG cluster 0 9\r\n" + strings.Repeat("\r\n", 1<<20), errTooLong, ""},
	} {
		got, err := read(c.answer)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %+v, %v, want an error: %v %s", name, got, err, c.want, c.text)
		}
		if err != nil && len(err.Error()) > 300 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
}

func FuzzReadCluster(f *testing.F) {
	f.Add([]byte(twoNodes))
	f.Add([]byte("VALUE AmazonElastiCache:cluster 0 20\r\n1\n|::1|1 a||2\n\r\nEND\r\n"))
	f.Add([]byte("ERROR\r\n"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		c, err := read(string(answer))
		if err != nil {
			if len(c.Nodes) != 0 {
				t.Errorf("%d nodes come with the error %v", len(c.Nodes), err)
			}
			return
		}
		if len(c.Nodes)*len("a||1") > len(answer) {
			t.Errorf("%d nodes from %d bytes", len(c.Nodes), len(answer))
		}
		// What was read can be written, and read again.
		var fields []string
		for _, n := range c.Nodes {
			fields = append(fields, n.field())
			if n.server(false) == "" || n.server(true) == "" {
				t.Errorf("node %+v is no server", n)
			}
		}
		again, err := read(answerOf(c.Version, fields...))
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("read again: %+v, %v, want %+v", again, err, c)
		}
	})
}
