package memcached

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

const (
	// maxHello is the largest frame of a handshake, maxSteps how many times a
	// server may ask on.
	maxHello = 64 << 10
	maxSteps = 16
	// twoLines is the opaque of the first request to a server with SASL, as a
	// text-only server reads it: two line ends, which make it answer at once. A
	// NOOP's opcode is one by itself.
	twoLines = '\r'<<24 | '\n'<<16 | '\r'<<8 | '\n'
)

// handshake is one exchange before a connection is used. It reads exactly the
// frames that it asked for.
type handshake struct {
	nc       net.Conn
	attempt  *attempt
	frame    wire.Frame
	answered bool // by a frame
	// secret says that the server may have seen credentials, now or on an earlier
	// connection: its texts may hold them, and are not repeated.
	secret bool
}

// handshake authenticates nc or, without credentials, makes sure that the
// server answers binary requests. When the server failed before it has to answer
// an operation as well.
func (n *node) handshake(a *attempt, nc net.Conn, encrypted bool) error {
	a.stage.Store(stageGreeting)
	h := &handshake{nc: nc, attempt: a}
	if err := n.greet(h, encrypted); err != nil || !n.mustProve() {
		return err
	}
	a.stage.Store(stageProof)
	a.proved = true
	return h.prove()
}

func (n *node) greet(h *handshake, encrypted bool) error {
	auth := n.client.opts.Auth
	if auth == nil {
		return h.hello()
	}
	h.secret = true
	server := sasl.Server{Addr: n.addr.target, Secure: encrypted || n.isLocal(h.nc)}
	return h.authenticate(h.attempt.ctx, auth, server)
}

// isLocal reports whether the bytes of nc do not leave the machine. What
// Options.DialContext returns can be the near end of a tunnel or of a proxy: then
// the server's name must say so, too.
func (n *node) isLocal(nc net.Conn) bool {
	addr := nc.RemoteAddr()
	if addr == nil {
		return false
	}
	named := n.client.opts.DialContext == nil || n.addr.network == "unix" || isLoopback(n.addr.host)
	if tcp, ok := addr.(*net.TCPAddr); ok {
		return tcp.IP.IsLoopback() && named
	}
	switch addr.Network() {
	case "unix":
		return named
	case "pipe", "memory": // they stay in the process
		return true
	default:
		return false
	}
}

// isLoopback reports whether a host is by its name this machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return ip.IsLoopback() || strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
}

// hello sends a NOOP, which a server answers unless it wants authentication.
func (h *handshake) hello() error {
	if err := h.exchange(wire.AppendSimple(nil, wire.OpNoop, 0)); err != nil {
		return err
	}
	if h.frame.Status == wire.StatusUnknownCommand {
		// It knows no NOOP. That it reads is all that matters.
		if err := h.exchange(wire.AppendKey(nil, wire.OpGet, 0, proofKey)); err != nil {
			return err
		}
	}
	switch h.frame.Status {
	case wire.StatusOK, wire.StatusKeyNotFound:
		return nil
	case wire.StatusAuthError:
		return fmt.Errorf("%w: the server demands authentication: set Options.Auth", ErrAuth)
	default:
		return unavailable(h.statusError())
	}
}

// authenticate negotiates once: listing mechanisms on a connection that is
// authenticated already would silently undo it.
func (h *handshake) authenticate(ctx context.Context, auth sasl.Mechanism, server sasl.Server) error {
	if err := h.exchange(wire.AppendSimple(nil, wire.OpSASLList, twoLines)); err != nil {
		return err
	}
	switch h.frame.Status {
	case wire.StatusOK:
	case wire.StatusUnknownCommand:
		return fmt.Errorf("%w: the server does not offer SASL (memcached -S): leave Options.Auth nil, which connects without credentials", ErrAuth)
	default:
		return unavailable(h.statusError())
	}
	server.Mechanisms = splitMechanisms(h.frame.Value)
	h.attempt.stage.Store(stageCredentials)
	session, response, err := auth.Start(ctx, server)
	h.attempt.stage.Store(stageAuth)
	if err != nil {
		return authError(err)
	}
	return h.steps(session, sasl.NameOf(auth, session), response)
}

// splitMechanisms reads the list that a server sends. Cyrus SASL separates names
// by spaces; other servers use commas, or count a NUL at the end in.
func splitMechanisms(list []byte) []string {
	return strings.FieldsFunc(string(list), func(r rune) bool { return r <= ' ' || r == ',' })
}

// steps runs the exchange of one mechanism. A server that has proved itself
// with a last message (SCRAM) waits for one more, empty step.
func (h *handshake) steps(session sasl.Session, name string, response []byte) error {
	op := wire.OpSASLAuth
	for range maxSteps {
		if err := h.exchange(wire.AppendSASL(nil, op, 0, name, response)); err != nil {
			return err
		}
		var err error
		switch h.frame.Status {
		case wire.StatusOK:
			return authError(finish(session, h.frame.Value))
		case wire.StatusAuthContinue, wire.StatusAuthContinueOld:
			if response, err = session.Next(h.frame.Value); err != nil {
				return authError(err)
			}
			op = wire.OpSASLStep
		case wire.StatusAuthError, wire.StatusAuthErrorLegacy:
			return fmt.Errorf("%w: the server refused the credentials (%s)", ErrAuth, name)
		default:
			return fmt.Errorf("%w (%s): %w", ErrAuth, name, h.statusError())
		}
	}
	return fmt.Errorf("%w: the server asks on after %d steps of %s", ErrAuth, maxSteps, name)
}

// finish asks the session whether the server has proved itself. Servers other
// than memcached send the proof with their success.
func finish(session sasl.Session, last []byte) error {
	err := session.Done()
	if err == nil || len(last) == 0 {
		return err
	}
	if _, stepErr := session.Next(last); stepErr != nil {
		return err
	}
	return session.Done()
}

func authError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		// Whoever has the credentials did not answer: nobody refused them.
		return unavailable(fmt.Errorf("%w: %w", errDialTimeout, err))
	default:
		return fmt.Errorf("%w: %w", ErrAuth, err)
	}
}

func (h *handshake) statusError() error {
	err := &StatusError{Status: Status(h.frame.Status)}
	if !h.secret {
		err.Message = string(h.frame.Value[:min(len(h.frame.Value), maxMessage)])
	}
	return err
}

// exchange sends a request and reads its response into h.frame.
func (h *handshake) exchange(request []byte) error {
	head := make([]byte, wire.HeaderLen)
	if _, err := h.nc.Write(request); err != nil {
		var last []byte
		if !isTimeout(err) {
			last = h.restOfLine(nil) // what it said before it closed
		}
		return h.describe(last, err)
	}
	n, err := io.ReadAtLeast(h.nc, head, 1)
	if n > 0 && wire.Magic(head[0]) != wire.MagicResponse {
		return h.describe(h.restOfLine(head[:n]), fmt.Errorf("%w: magic 0x%02x", wire.ErrFrame, head[0]))
	}
	if err == nil {
		_, err = io.ReadFull(h.nc, head[n:])
	}
	if err != nil {
		return h.describe(nil, err)
	}
	h.frame.Decode(head)
	if err := h.frame.Check(wire.MagicResponse, maxHello); err != nil {
		return h.describe(h.restOfLine(head), err)
	}
	var sent wire.Header
	sent.Decode(request)
	// yrmcds answers what it does not know under an opcode of its own.
	same := h.frame.Opcode == sent.Opcode || h.frame.Status == wire.StatusUnknownCommand
	if !same || h.frame.Opaque != sent.Opaque {
		return unavailable(fmt.Errorf("%w: a response to %s with opaque %d instead of %s with %d", wire.ErrFrame, h.frame.Opcode, h.frame.Opaque, sent.Opcode, sent.Opaque))
	}
	if !h.answered {
		h.answered = true
		h.attempt.stage.Store(stageAuth)
	}
	whole := append(head, make([]byte, h.frame.BodyLen)...)
	if _, err := io.ReadFull(h.nc, whole[wire.HeaderLen:]); err != nil {
		return h.describe(nil, err)
	}
	_, err = h.frame.Parse(whole, wire.MagicResponse, maxHello)
	return err
}

// lineTime is how long the rest of a line of text may take. The text is there, but who
// reads it may have to wait for a processor: a deadline that is over reads nothing.
const lineTime = minTrial / 2

// restOfLine reads what comes behind head, which is no header but maybe text, up to
// the end of the line.
func (h *handshake) restOfLine(head []byte) []byte {
	_ = h.nc.SetReadDeadline(time.Now().Add(lineTime))
	rest := make([]byte, 64)
	for len(head) < len(rest) && !bytes.Contains(head, []byte("\r\n")) {
		n, err := h.nc.Read(rest)
		head = append(head, rest[:n]...)
		if err != nil {
			break
		}
	}
	return head
}

// describe says what it means when a server answers with something else than a
// response, or not at all.
func (h *handshake) describe(got []byte, err error) error {
	switch {
	case isTimeout(err):
		return h.attempt.waitsFor(errDialTimeout)
	case h.attempt.proved: // prove says what it means
		return err
	case h.answered:
		return unavailable(fmt.Errorf("the server ended the connection during authentication: %w", err))
	case len(got) > 1 && got[0] == 0x15 && got[1] == 0x03: // a TLS alert record
		return unavailable(errors.New("the server speaks TLS on this port: set Options.TLS"))
	case len(got) == 0 && (errors.Is(err, io.EOF) || isReset(err)) && h.attempt.worked:
		return unavailable(fmt.Errorf("the server closed the connection instead of answering: it may be stopping, or be out of connections: %w", err))
	case len(got) == 0 && (errors.Is(err, io.EOF) || isReset(err)):
		return unavailable(fmt.Errorf("the server closed the connection instead of answering: it may speak TLS on this port, speak only the text protocol (twemproxy), or be out of connections: %w", err))
	case isText(got) && !h.attempt.worked && !bytes.Contains(got, []byte("Too many open connections")):
		return unavailable(fmt.Errorf("the server speaks only the text protocol (memcached -B ascii, -Y or a proxy): it answers %q", h.quotable(got)))
	case isText(got):
		return unavailable(inText(h.quotable(got)))
	case errors.Is(err, wire.ErrFrame) && !h.attempt.worked:
		return unavailable(fmt.Errorf("the server does not speak memcached's protocol on this port: %w", err))
	default:
		return unavailable(err)
	}
}

// plainTexts are what memcached says in the text protocol to requests that it does
// not take (memcached.c, proto_text.c).
var plainTexts = []string{
	"ERROR", "ERROR Too many open connections", "CLIENT_ERROR malformed request",
	"CLIENT_ERROR bad command line format", "CLIENT_ERROR unauthenticated", "CLIENT_ERROR authentication failure",
}

// quotable returns what may be repeated of a text: when there are secrets, what
// memcached says by itself, or its first word.
func (h *handshake) quotable(text []byte) string {
	line := firstLine(text)
	if !h.secret || slices.Contains(plainTexts, line) {
		return line
	}
	for _, word := range errorWords {
		if strings.HasPrefix(line, word) {
			return word + " …"
		}
	}
	return "…"
}

// isReset reports whether a server closed a connection with requests unread, as
// reading and writing tell it.
func isReset(err error) bool {
	text := err.Error()
	return strings.Contains(text, "connection reset") || strings.Contains(text, "broken pipe")
}

// describeGarbage adds to err what a server says in plain text.
func describeGarbage(buf []byte, err error) error {
	if !isText(buf) {
		return err
	}
	return inText(firstLine(buf))
}

func inText(line string) error {
	return fmt.Errorf("the server answers in the text protocol: %q", line)
}

// errorWords begin what a server says in plain text when it failed.
var errorWords = []string{"ERROR", "CLIENT_ERROR", "SERVER_ERROR"}

// isText reports whether a server says in plain text that it failed.
func isText(buf []byte) bool {
	return slices.ContainsFunc(errorWords, func(word string) bool { return bytes.HasPrefix(buf, []byte(word)) })
}

// firstLine returns the beginning of a text, without its line end.
func firstLine(buf []byte) string {
	line, _, _ := strings.Cut(string(buf[:min(len(buf), 80)]), "\r\n")
	return line
}
