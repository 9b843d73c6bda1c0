package netdb

import (
	"slices"
	"strings"
)

// Group is one line of /etc/group.
type Group struct {
	Name    string
	GID     int
	Members []string
	Line    int
}

// User is one line of /etc/passwd.
type User struct {
	Name  string
	UID   int
	GID   int
	Home  string
	Shell string
	Line  int
}

// Groups and Users are in the order of their files: the first match wins.
type (
	Groups []Group
	Users  []User
)

// ParseGroups reads the text of /etc/group. Only commas separate members: a
// carriage return at the end of a line belongs to the last one's name.
func ParseGroups(text string) Groups {
	var groups Groups
	lines, _ := content(text)
	for _, line := range lines {
		name, rest, _ := strings.Cut(line.text, ":")
		_, rest, ok := strings.Cut(rest, ":")
		gid, members, number := numeral(rest, ':')
		if !ok || !number {
			continue
		}
		group := Group{Name: name, GID: int(gid), Line: line.number}
		for member := range strings.SplitSeq(members, ",") {
			if member = strings.TrimLeft(member, blank); member != "" {
				group.Members = append(group.Members, member)
			}
		}
		groups = append(groups, group)
	}
	return groups
}

// ParseUsers reads the text of /etc/passwd.
func ParseUsers(text string) Users {
	var users Users
	lines, _ := content(text)
	for _, line := range lines {
		name, rest, _ := strings.Cut(line.text, ":")
		_, rest, ok := strings.Cut(rest, ":")
		uid, rest, number := numeral(rest, ':')
		if !ok || !number {
			continue
		}
		gid, rest, number := numeral(rest, ':')
		if !number {
			continue
		}
		_, rest, _ = strings.Cut(rest, ":")
		home, shell, _ := strings.Cut(rest, ":")
		users = append(users, User{Name: name, UID: int(uid), GID: int(gid), Home: home, Shell: shell, Line: line.number})
	}
	return users
}

// ByName is getgrnam(3).
func (g Groups) ByName(name string) (Group, bool) {
	return first(g, func(group Group) bool { return group.Name == name })
}

// ByGID is getgrgid(3).
func (g Groups) ByGID(gid int) (Group, bool) {
	return first(g, func(group Group) bool { return group.GID == gid })
}

// Of is what initgroups(3) adds to the primary group: every group, repeated
// ones too, whose line names the user as a member.
func (g Groups) Of(user string) []Group {
	var list []Group
	for _, group := range g {
		if slices.Contains(group.Members, user) {
			list = append(list, group)
		}
	}
	return list
}

// Lines are the lines of a group: more than one is a mistake, of which
// getgrnam sees the first and initgroups all.
func (g Groups) Lines(name string) []int {
	var list []int
	for _, group := range g {
		if group.Name == name {
			list = append(list, group.Line)
		}
	}
	return list
}

// ByName is getpwnam(3).
func (u Users) ByName(name string) (User, bool) {
	return first(u, func(user User) bool { return user.Name == name })
}

// ByUID is getpwuid(3).
func (u Users) ByUID(uid int) (User, bool) {
	return first(u, func(user User) bool { return user.UID == uid })
}

// WithGroup are the users whose primary group it is.
func (u Users) WithGroup(gid int) []User {
	var list []User
	for _, user := range u {
		if user.GID == gid {
			list = append(list, user)
		}
	}
	return list
}

func first[T any](list []T, match func(T) bool) (T, bool) {
	if i := slices.IndexFunc(list, match); i >= 0 {
		return list[i], true
	}
	var none T
	return none, false
}
