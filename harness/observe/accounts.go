package observe

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"qmconformance/harness/netdb"
)

// Accounts are the users and groups of a target.
type Accounts struct {
	Groups netdb.Groups
	Users  netdb.Users
}

// GID is a group's number, -1 where there is none.
func (a Accounts) GID(group string) int {
	if g, ok := a.Groups.ByName(group); ok {
		return g.GID
	}
	return -1
}

// UID is a user's number, -1 where there is none.
func (a Accounts) UID(user string) int {
	if u, ok := a.Users.ByName(user); ok {
		return u.UID
	}
	return -1
}

// PrimaryGroup is the number of a user's primary group, -1 where there is none.
func (a Accounts) PrimaryGroup(user string) int {
	if u, ok := a.Users.ByName(user); ok {
		return u.GID
	}
	return -1
}

// Member says whether a user is in a group, by either file.
func (a Accounts) Member(user, group string) bool {
	g, ok := a.Groups.ByName(group)
	if !ok {
		return false
	}
	return slices.Contains(g.Members, user) || a.PrimaryGroup(user) == g.GID
}

func readAccounts(ctx context.Context, s *Scene) (Accounts, error) {
	group, err := readIfThere(ctx, s, "/etc/group")
	if err != nil {
		return Accounts{}, err
	}
	passwd, err := readIfThere(ctx, s, "/etc/passwd")
	if err != nil {
		return Accounts{}, err
	}
	return Accounts{netdb.ParseGroups(group), netdb.ParseUsers(passwd)}, nil
}

// readIfThere reads a file of the target; a file that is missing reads as empty,
// as it does for the programs that look things up in it.
func readIfThere(ctx context.Context, s *Scene, name string) (string, error) {
	text, err := s.ReadFile(ctx, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return string(text), nil
}

// AccountsOf is the look at users and groups.
var AccountsOf = &Look[Accounts]{
	Name: "accounts", Stage: AsShipped, Limit: 20 * time.Second,
	Take: func(ctx context.Context, s *Scene) (Accounts, error) {
		a, err := readAccounts(ctx, s)
		for _, name := range []string{"/etc/group", "/etc/passwd"} {
			text, again := readIfThere(ctx, s, name)
			s.Evidence.Source(name, text)
			err = errors.Join(err, again)
		}
		return a, err
	},
}
