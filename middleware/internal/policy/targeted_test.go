package policy

import (
	"reflect"
	"testing"
)

func TestParseTargeted(t *testing.T) {
	tests := map[string]struct {
		lines []string
		want  func(*Directives) // nil: invalid
	}{
		"empty":                    {[]string{""}, nil},
		"spaces":                   {[]string{"  "}, nil},
		"integers":                 {[]string{"max-age=3600, s-maxage=1"}, func(d *Directives) { d.MaxAge, d.SMaxAge = 3600, 1 }},
		"huge":                     {[]string{"max-age=99999999999"}, func(d *Directives) { d.MaxAge = 1 << 31 }},
		"negative":                 {[]string{"max-age=-5"}, func(d *Directives) { d.MaxAge = 0 }},
		"booleans":                 {[]string{"private,no-store=?1 , no-cache=?0"}, func(d *Directives) { d.Private, d.NoStore = true, true }},
		"last of equal keys":       {[]string{"max-age=1, max-age=2"}, func(d *Directives) { d.MaxAge = 2 }},
		"two lines":                {[]string{"max-age=1", "private"}, func(d *Directives) { d.MaxAge, d.Private = 1, true }},
		"extension":                {[]string{`foobar, x="a, \"b\"";p=1;q, y=(1 "2" z);w, z=:YQ==:, v=1.5, u=*t/x:y, max-age=3`}, func(d *Directives) { d.MaxAge = 3 }},
		"date":                     {[]string{"until=@1659578233, no-store"}, func(d *Directives) { d.NoStore = true }},
		"display string":           {[]string{`why=%"f%c3%bcr alle", no-store`}, func(d *Directives) { d.NoStore = true }},
		"date in a parameter":      {[]string{"private;until=@-1"}, func(d *Directives) { d.Private = true }},
		"wrong type, then another": {[]string{`max-age="1", max-age=2`}, func(d *Directives) { d.MaxAge = 2 }},
		"parameters":               {[]string{"max-age=3;x; y=?1"}, func(d *Directives) { d.MaxAge = 3 }},
		"unknown characters":       {[]string{"max-age=10000, &&&&&"}, nil},
		"string for integer":       {[]string{`max-age="10000"`}, nil},
		"decimal for integer":      {[]string{"max-age=1.0"}, nil},
		"list for integer":         {[]string{"max-age=(1)"}, nil},
		"list for flag":            {[]string{"no-store=()"}, nil},
		"date for integer":         {[]string{"max-age=@1659578233"}, nil},
		"decimal for date":         {[]string{"x=@1.5"}, nil},
		"display string of Latin1": {[]string{`x=%"%e9"`}, nil},
		"flag for integer":         {[]string{"max-age"}, nil},
		"integer for flag":         {[]string{"no-store=1"}, nil},
		"upper-case key":           {[]string{"MaX-aGe=3600"}, nil},
		"space before equals":      {[]string{"max-age =100"}, nil},
		"space after equals":       {[]string{"max-age= 100"}, nil},
		"trailing comma":           {[]string{"max-age=1,"}, nil},
		"unterminated string":      {[]string{`x="abc`}, nil},
		"bad escape":               {[]string{`x="\a"`}, nil},
		"control in string":        {[]string{"x=\"\x01\""}, nil},
		"unterminated list":        {[]string{"x=(1 2"}, nil},
		"list without spaces":      {[]string{`x=(1"2")`}, nil},
		"sixteen digits":           {[]string{"x=1234567890123456"}, nil},
		"four decimals":            {[]string{"x=1.2345"}, nil},
		"bad boolean":              {[]string{"x=?2"}, nil},
		"bad bytes":                {[]string{"x=:a b:"}, nil},
		"bad parameter":            {[]string{"x;1"}, nil},
		"bad parameter's value":    {[]string{"x;a=&"}, nil},
		"nothing between commas":   {[]string{"max-age=1,,private"}, nil},
		"minus and no digits":      {[]string{"x=-"}, nil},
		"something after a member": {[]string{"max-age=1 private"}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := ParseTargeted(test.lines)
			if test.want == nil {
				if ok {
					t.Errorf("ParseTargeted(%q) = %+v, want it refused", test.lines, got)
				}
				return
			}
			want := noDirectives()
			test.want(&want)
			if !ok || !reflect.DeepEqual(got, want) {
				t.Errorf("ParseTargeted(%q) = %+v, %v, want %+v", test.lines, got, ok, want)
			}
		})
	}
}

func FuzzParseTargeted(f *testing.F) {
	for _, seed := range []string{"max-age=1, private", `x="a";b=(1 2);c=:YQ==:`, "a=?1, b=-1.5", "a=(", `a="\`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		d, ok := ParseTargeted([]string{line})
		if !ok {
			return
		}
		if d.MaxAge < Absent || d.MaxAge > maxSeconds {
			t.Errorf("ParseTargeted(%q) has max-age %d", line, d.MaxAge)
		}
		if more, ok := ParseTargeted([]string{line, "max-age=77"}); !ok || more.MaxAge != 77 {
			t.Errorf("ParseTargeted(%q) is fine, but another member after it gives %+v, %v", line, more, ok)
		}
	})
}
