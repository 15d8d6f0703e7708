package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestCrowd_LoadsOnce(t *testing.T) {
	_, base := start(t)
	b := newBrowser(t, base)
	b.expect(b.get("/crowd"), http.StatusOK, "Send 200 visitors")
	for range 2 {
		b.expect(b.post("/crowd"), http.StatusOK, ">1 load<", "200 of 200 visitors were served")
	}
	if got := b.get("/tides").body; !strings.Contains(got, `href="/crowd"`) {
		t.Error("the page of tides does not lead to the crowd")
	}
}
