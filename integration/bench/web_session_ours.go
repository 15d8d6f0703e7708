package main

import (
	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/session"
)

func init() { sessionApps[ours] = sessionOurs }

// sessionOurs is this module's session store over its client.
func sessionOurs(addr string) (*webApp, error) {
	client, err := memcached.New([]string{addr}, nil)
	if err != nil {
		return nil, err
	}
	store, err := session.New(client, nil, sessionKey)
	if err != nil {
		return nil, err
	}
	return newSessionApp(store, client.Close), nil
}
