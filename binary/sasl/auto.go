package sasl

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Auto uses the strongest mechanism that the server lists: SCRAM-SHA-512,
// SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, then PLAIN. It sends PLAIN only on a secure connection
// (TLS, loopback or a Unix socket); elsewhere Start fails and says that Plain is
// the explicit choice. A mechanism that the server refuses is not followed by a
// weaker one.
func Auto(username, password string) Mechanism {
	return AutoFunc(static(username, password))
}

// AutoFunc is Auto that asks for the credentials at every Start, that is
// for every new connection. A rotated password is picked up as connections are
// made; those that exist stay authenticated. The function is called with the
// context of the connection attempt, from several goroutines at once, and its
// error makes the attempt fail.
func AutoFunc(credentials func(ctx context.Context) (Credentials, error)) Mechanism {
	keys := newKeyCache()
	return &auto{
		label:  "AUTO",
		source: credentials,
		choices: []choice{
			{name: nameScramSHA512, begin: scramSHA512.starter(keys)},
			{name: nameScramSHA256, begin: scramSHA256.starter(keys)},
			{name: nameScramSHA1, begin: scramSHA1.starter(keys)},
			{name: nameCramMD5, begin: startCramMD5, noIdentity: true},
			{name: namePlain, begin: startPlain, clear: true},
		},
	}
}

// auto chooses at Start. Its Name is no mechanism: NameOf tells the chosen one.
type auto struct {
	label
	source  source
	choices []choice // strongest first
}

// choice is a mechanism that Auto knows, and what it cannot do.
type choice struct {
	name       string
	begin      starter
	clear      bool // sends the password in the clear
	noIdentity bool // cannot carry an identity
}

func (a *auto) Name() string { return string(a.label) }

func (a *auto) Start(ctx context.Context, server Server) (Session, []byte, error) {
	c, err := a.source.ask(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, choice := range a.choices {
		switch {
		case !server.offers(choice.name),
			choice.clear && !server.Secure,
			choice.noIdentity && c.Identity != "":
			continue
		}
		return choice.begin(c)
	}
	return nil, nil, a.noneOf(server)
}

// noneOf explains why nothing that the server offers can be used.
func (a *auto) noneOf(server Server) error {
	if len(server.Mechanisms) == 0 {
		return errors.New("sasl: the server lists no mechanisms")
	}
	if server.offers(namePlain) && !server.Secure {
		return fmt.Errorf("sasl: the server offers %s, and PLAIN would send the password over an unencrypted connection: "+
			"use TLS, or choose sasl.Plain explicitly", server.list())
	}
	var known []string
	for _, choice := range a.choices {
		known = append(known, choice.name)
	}
	return fmt.Errorf("sasl: the server offers %s, and none of %s can be used", server.list(), strings.Join(known, ", "))
}
