package policy

import (
	"fmt"
	"slices"
	"strings"
)

// AcceptLanguage returns the languages that a client takes in the form by which
// variants are told apart: by weight, those of equal weight, whose order says
// nothing, by name, and names in their usual case.
func AcceptLanguage(lines []string) string {
	type preference struct {
		value  string
		weight int
	}
	var list []preference
	for _, line := range lines {
		for element := range elements(line) {
			value, weight := splitWeight(element)
			list = append(list, preference{languageCase(value), weight})
		}
	}
	slices.SortFunc(list, func(a, b preference) int {
		if a.weight != b.weight {
			return b.weight - a.weight
		}
		return strings.Compare(a.value, b.value)
	})
	parts := make([]string, len(list))
	for i, p := range list {
		parts[i] = p.value + weightSuffix(p.weight)
	}
	return strings.Join(parts, ",")
}

func weightSuffix(weight int) string {
	if weight == 1000 {
		return ""
	}
	return ";q=" + strings.TrimRight(strings.TrimRight(fmt.Sprintf("0.%03d", weight), "0"), ".")
}

// languageCase spells a language tag as RFC 5646, section 2.1.1, recommends:
// regions in capitals, scripts with one, all else and what follows a singleton
// without.
func languageCase(tag string) string {
	subtags := strings.Split(strings.ToLower(tag), "-")
	for i, s := range subtags {
		switch {
		case len(s) == 1:
			return strings.Join(subtags, "-")
		case i > 0 && len(s) == 2:
			subtags[i] = strings.ToUpper(s)
		case i > 0 && len(s) == 4:
			subtags[i] = strings.ToUpper(s[:1]) + s[1:]
		}
	}
	return strings.Join(subtags, "-")
}
