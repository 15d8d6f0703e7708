package policy

import (
	"encoding/base32"
	"strconv"
	"time"

	"github.com/dunglas/httpsfv"
)

// made returns the value of the library that the form of shown stands for.
func made(kind string, v any) httpsfv.StructuredFieldValue {
	members, _ := v.([]any)
	switch kind {
	case "item":
		return madeItem(members)
	case "list":
		list := httpsfv.List{}
		for _, member := range members {
			list = append(list, madeMember(member.([]any)))
		}
		return list
	default:
		dictionary := httpsfv.NewDictionary()
		for _, member := range members {
			named := member.([]any)
			dictionary.Add(named[0].(string), madeMember(named[1].([]any)))
		}
		return dictionary
	}
}

func madeMember(v []any) httpsfv.Member {
	items, ok := v[0].([]any)
	if !ok {
		return madeItem(v)
	}
	list := httpsfv.InnerList{Params: madeParams(v[1].([]any))}
	for _, item := range items {
		list.Items = append(list.Items, madeItem(item.([]any)))
	}
	return list
}

func madeItem(v []any) httpsfv.Item {
	item := httpsfv.NewItem(madeBare(v[0]))
	item.Params = madeParams(v[1].([]any))
	return item
}

func madeParams(v []any) *httpsfv.Params {
	params := httpsfv.NewParams()
	for _, param := range v {
		named := param.([]any)
		params.Add(named[0].(string), madeBare(named[1]))
	}
	return params
}

func madeBare(v any) any {
	special, ok := v.(typed)
	if !ok {
		return v
	}
	switch special.kind {
	case "token":
		return httpsfv.Token(special.text)
	case "displaystring":
		return httpsfv.DisplayString(special.text)
	case "binary":
		b, err := base32.StdEncoding.DecodeString(special.text)
		if err != nil {
			panic(err)
		}
		return b
	default:
		n, err := strconv.ParseInt(special.text, 10, 64)
		if err != nil {
			panic(err)
		}
		return time.Unix(n, 0)
	}
}
