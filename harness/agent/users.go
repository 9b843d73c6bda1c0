package agent

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// addUsers appends accounts to the target's own files. It does without the
// useradd command, which a finished image need not hold, and which would apply
// the base's defaults where a test needs to know what it gets.
//
// A user whose group does not exist gets a group of its own: that the group is
// missing is for a requirement to say, and must not keep the user from logging in.
func addUsers(root string, users []User) error {
	groupFile, passwdFile, shadowFile := filepath.Join(root, "etc/group"), filepath.Join(root, "etc/passwd"), filepath.Join(root, "etc/shadow")
	groups, err := ids(groupFile)
	if err != nil {
		return err
	}
	passwd, err := ids(passwdFile)
	if err != nil {
		return err
	}
	// Well above what a package's own system accounts use, below nobody.
	next := 20000
	for _, u := range users {
		if _, exists := passwd[u.Name]; exists {
			continue
		}
		for taken(next, passwd, groups) {
			next++
		}
		gid, ok := groups[u.Group]
		if !ok {
			gid = next
			if err := appendLine(groupFile, fmt.Sprintf("%s:x:%d:", u.Name, gid)); err != nil {
				return err
			}
			groups[u.Name] = gid
		}
		if err := appendLine(passwdFile, fmt.Sprintf("%s:x:%d:%d::%s:/bin/sh", u.Name, next, gid, u.Home)); err != nil {
			return err
		}
		if err := appendLine(shadowFile, fmt.Sprintf("%s:%s:20000:0:99999:7:::", u.Name, u.Hash)); err != nil {
			return err
		}
		passwd[u.Name] = next
		home := filepath.Join(root, u.Home)
		if err := os.MkdirAll(home, 0o755); err != nil {
			return err
		}
		if err := os.Chown(home, next, gid); err != nil {
			return err
		}
	}
	return nil
}

func taken(id int, files ...map[string]int) bool {
	for _, file := range files {
		for _, used := range file {
			if used == id {
				return true
			}
		}
	}
	return false
}

// ids maps the names of a passwd or group file to their third field.
func ids(path string) (map[string]int, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := map[string]int{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), ":")
		if len(fields) < 3 {
			continue
		}
		id, err := strconv.Atoi(fields[2])
		if err != nil {
			continue
		}
		if _, first := m[fields[0]]; !first {
			m[fields[0]] = id
		}
	}
	return m, lines.Err()
}

// appendLine adds a line, after a line end if the file lacks its last one:
// otherwise the package's last entry and ours would become one.
func appendLine(path, line string) error {
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	glue := ""
	if len(old) > 0 && old[len(old)-1] != '\n' {
		glue = "\n"
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(glue + line + "\n"); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
