package session_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestNilArguments(t *testing.T) {
	_, store := newStore(t, nil)
	r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
	s, _ := store.Get(r, cookieName)
	if s, err := store.Get(nil, cookieName); s == nil || err == nil {
		t.Errorf("Get(nil) = %v, %v, want a session and an error", s, err)
	}
	if s, err := store.New(nil, cookieName); s == nil || err == nil {
		t.Errorf("New(nil) = %v, %v, want a session and an error", s, err)
	}
	if s, err := store.Get(r, "bad name"); s == nil || err == nil {
		t.Errorf("Get(bad name) = %v, %v, want a session and an error", s, err)
	}
	for what, err := range map[string]error{
		"Save(nil, w, s)": store.Save(nil, w, s),
		"Save(r, nil, s)": store.Save(r, nil, s),
		"Save(r, w, nil)": store.Save(r, w, nil),
		"s.Save(nil, w)":  s.Save(nil, w),
		"s.Save(r, nil)":  s.Save(r, nil),
		"Renew(r, nil)":   store.Renew(r, nil),
		"Bind(nil, s, u)": store.Bind(nil, s, "u"),
		`Bind(r, s, "")`:  store.Bind(r, s, ""),
		"RevokeAll of ''": store.RevokeAll(t.Context(), ""),
	} {
		if err == nil {
			t.Errorf("%s = nil, want an error", what)
		}
	}
	s.Options = nil
	if err := s.Save(r, w); err == nil {
		t.Error("Save without Options = nil, want an error")
	}
}
