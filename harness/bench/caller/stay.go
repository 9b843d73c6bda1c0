package caller

import (
	"qmconformance/harness/qmclient"
)

// Stayer is a session on the qmclient port that has logged in and says nothing.
type Stayer struct{ line Line }

// Stay opens a session and leaves it open.
func Stay(t *Target, login *Login) (*Stayer, error) {
	s := &Stayer{}
	var c Call
	if !s.line.dial(t, &c, 0) {
		s.line.close()
		return nil, c.Err
	}
	err := s.line.read()
	if err == nil {
		s.line.have = 0
		err = s.line.exchange(qmclient.EncodeLogin(login.User, login.Password), "the login")
	}
	if err == nil {
		err = s.line.exchange(qmclient.EncodeAccount(login.Account), "the account")
	}
	if err != nil {
		_ = s.Leave() // the first error tells
		return nil, err
	}
	return s, nil
}

// Leave ends the session in order, and waits for its end.
func (s *Stayer) Leave() error {
	defer s.line.close()
	if err := s.line.write(qmclient.EncodeQuit()); err != nil {
		return err
	}
	var c Call
	return s.line.end(&c)
}
