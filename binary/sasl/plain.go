package sasl

// startPlain begins PLAIN (RFC 4616), which is over with its first message:
// [authzid] NUL authcid NUL passwd. Checked credentials contain no NUL.
func startPlain(c Credentials) (Session, []byte, error) {
	return plainSession{}, []byte(c.Identity + "\x00" + c.Username + "\x00" + c.Password.Reveal()), nil
}

type plainSession struct{}

func (plainSession) Mechanism() string { return namePlain }

func (plainSession) Next([]byte) ([]byte, error) {
	return nil, label(namePlain).errorf("the server sent a challenge, which the mechanism does not have")
}

func (plainSession) Done() error { return nil }
