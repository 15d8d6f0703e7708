package binary_test

import (
	"context"
	"net"
)

// dialTCP connects through the network, as a client does without DialContext.
func dialTCP(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}
