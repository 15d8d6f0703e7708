package policy

import (
	"compress/gzip"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dunglas/httpsfv"
)

// structuredTest is a case of https://github.com/httpwg/structured-field-tests, whose
// README explains it. testdata/structured has all files of commit 1e280c3, and its license.
type structuredTest struct {
	Name       string
	Raw        []string
	HeaderType string `json:"header_type"`
	Expected   any
	MustFail   bool `json:"must_fail"`
	CanFail    bool `json:"can_fail"`
	Canonical  []string
}

// eachStructuredTest calls test with the cases of the suite and returns their number.
func eachStructuredTest(t *testing.T, test func(t *testing.T, name string, c structuredTest)) (n int) {
	t.Helper()
	file, err := os.Open("testdata/structured/structured-field-tests.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var suite map[string][]structuredTest
	decoder := json.NewDecoder(plain)
	decoder.UseNumber() // 1 and 1.0 are not the same
	if err := decoder.Decode(&suite); err != nil {
		t.Fatal(err)
	}
	for name, cases := range suite {
		for _, c := range cases {
			test(t, name+": "+c.Name, c)
			n++
		}
	}
	return n
}

// TestStructuredFields_SuiteOfTheWorkingGroup: what is read, what is refused, and what is
// written of it again.
func TestStructuredFields_SuiteOfTheWorkingGroup(t *testing.T) {
	read := 0
	n := eachStructuredTest(t, func(t *testing.T, name string, c structuredTest) {
		if c.Raw != nil {
			read++
		}
		if err := c.check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	if n < 2000 || read < 1500 {
		t.Errorf("the suite has %d cases, %d of them to be read: some are missing", n, read)
	}
}

// TestParseTargeted_SuiteOfTheWorkingGroup: a field that is no dictionary is ignored, and
// one that is counts, whatever else it says.
func TestParseTargeted_SuiteOfTheWorkingGroup(t *testing.T) {
	n := 0
	eachStructuredTest(t, func(t *testing.T, name string, c structuredTest) {
		if c.HeaderType != "dictionary" || c.Raw == nil || c.CanFail {
			return
		}
		n++
		members, _ := c.Expected.([]any)
		want := !c.MustFail && len(members) > 0
		if _, ok := ParseTargeted(c.Raw); ok != want {
			t.Errorf("%s: ParseTargeted(%q) = %v, want %v", name, c.Raw, ok, want)
		}
	})
	if n < 100 {
		t.Errorf("the suite has %d dictionaries: some are missing", n)
	}
}

// check runs a case.
func (c structuredTest) check() error {
	value, err := c.value()
	if c.Raw == nil {
		return c.checkWritten(value)
	}
	switch {
	case c.MustFail && err == nil:
		return fmt.Errorf("%q is accepted", c.Raw)
	case err != nil && (c.MustFail || c.CanFail):
		return nil
	case err != nil:
		return fmt.Errorf("%q is refused: %w", c.Raw, err)
	}
	if got, want := shown(value), known(c.Expected); !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%q is read as %v, want %v", c.Raw, got, want)
	}
	return c.checkWritten(value)
}

// checkWritten compares value, when it is written, with the canonical form.
func (c structuredTest) checkWritten(value httpsfv.StructuredFieldValue) error {
	if c.Raw == nil {
		value = made(c.HeaderType, known(c.Expected))
	}
	written, err := httpsfv.Marshal(value)
	canonical := c.Canonical
	if canonical == nil {
		canonical = c.Raw
	}
	switch want := strings.Join(canonical, ", "); {
	case c.Raw == nil && c.MustFail && err == nil:
		return fmt.Errorf("%v is written as %q", c.Expected, written)
	case c.Raw == nil && c.MustFail:
		return nil
	case err != nil || written != want:
		return fmt.Errorf("is written as %q, %w, want %q", written, err, want)
	}
	return nil
}

// value reads the field of a case.
func (c structuredTest) value() (httpsfv.StructuredFieldValue, error) {
	switch c.HeaderType {
	case "item":
		return httpsfv.UnmarshalItem(c.Raw)
	case "list":
		return httpsfv.UnmarshalList(c.Raw)
	default:
		return httpsfv.UnmarshalDictionary(c.Raw)
	}
}

// typed is a value of a type that JSON does not have.
type typed struct{ kind, text string }

// known returns a value of the suite in the form of shown.
func known(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			panic(err)
		}
		return f
	case []any:
		all := make([]any, len(v))
		for i := range v {
			all[i] = known(v[i])
		}
		return all
	case map[string]any:
		return typed{v["__type"].(string), fmt.Sprint(v["value"])}
	default:
		return v
	}
}

// shown returns a value of the library in the form of the suite.
func shown(v any) any {
	switch v := v.(type) {
	case *httpsfv.Dictionary:
		members := []any{}
		for _, name := range v.Names() {
			member, _ := v.Get(name)
			members = append(members, []any{name, shown(member)})
		}
		return members
	case httpsfv.List:
		members := []any{}
		for _, member := range v {
			members = append(members, shown(member))
		}
		return members
	case httpsfv.InnerList:
		items := []any{}
		for _, item := range v.Items {
			items = append(items, shown(item))
		}
		return []any{items, shown(v.Params)}
	case httpsfv.Item:
		return []any{shown(v.Value), shown(v.Params)}
	case *httpsfv.Params:
		params := []any{}
		for _, name := range v.Names() {
			param, _ := v.Get(name)
			params = append(params, []any{name, shown(param)})
		}
		return params
	case httpsfv.Token:
		return typed{"token", string(v)}
	case httpsfv.DisplayString:
		return typed{"displaystring", string(v)}
	case []byte:
		return typed{"binary", base32.StdEncoding.EncodeToString(v)}
	case time.Time:
		return typed{"date", fmt.Sprint(v.Unix())}
	default:
		return v
	}
}
