// Package symptom recognises, in text that a qm sends to its client, why it does not serve.
//
// A session started by xinetd has its standard error on the socket too, so that the dynamic loader's and
// qm's own start-up errors arrive where a prompt or a packet is due.
package symptom

import "strings"

// Symptom names a cause; the values are stable, as they appear in stored results.
type Symptom string

// The texts are ScarletDME's own (gplsrc/qm.c, gplsrc/kernel.c, the message file) except the loader's.
const (
	None          Symptom = ""
	NotStarted    Symptom = "not-started"
	Suspended     Symptom = "suspended"
	UserLimit     Symptom = "user-limit"
	Loader        Symptom = "loader-error"
	Console       Symptom = "console-session"
	Messages      Symptom = "message-file"
	Register      Symptom = "register"
	ObjectCode    Symptom = "object-code"
	FileAccess    Symptom = "file-access"
	Shadow        Symptom = "password-file"
	BadLogin      Symptom = "bad-login"
	NotRegistered Symptom = "not-registered"
	BadAccount    Symptom = "bad-account"
	IdleTimeout   Symptom = "idle-timeout"
	Terminated    Symptom = "terminated"
)

// known is searched in order: what is a cause comes before what follows from it.
var known = []struct {
	symptom Symptom
	all     []string // every one of these must occur
	hint    string
}{
	{Loader, []string{"error while loading shared libraries"}, "a shared library of qm is missing in the target"},
	{NotStarted, []string{"has not been started"}, "ScarletDME is not running: qm -start comes before xinetd"},
	{Suspended, []string{"is suspended"}, "ScarletDME is suspended: qm -resume"},
	{UserLimit, []string{"User limit reached"}, "all user slots are taken: NUMUSERS in scarlet.conf, and qm -u for who holds them"},
	{Console, []string{"is not a valid account", "Create account"}, "qm runs as a console session without a login: server_args lacks -n"},
	{Messages, []string{"Message file not found"}, "the MESSAGES file is missing or cannot be read"},
	{Messages, []string{"Message not found"}, "the MESSAGES file cannot be read by the session's user"},
	{ObjectCode, []string{"Unable to load", "object code"}, "a program is missing in the global catalogue"},
	{Register, []string{"Cannot open", "register"}, "the ACCOUNTS or $LOGINS register is missing or cannot be opened"},
	{Shadow, []string{"Cannot open password file"}, "qm does not run as root, so that it cannot check a password"},
	{NotRegistered, []string{"not registered for"}, "SECURITY is on and the user is not in $LOGINS"},
	{FileAccess, []string{"Error -30"}, "the tree is not writable for the session: group qmusers, ownership, or mount"},
	{FileAccess, []string{"Error 30"}, "the tree is not writable for the session: group qmusers, ownership, or mount"},
	{BadLogin, []string{"Invalid username or password"}, "the name or the password was refused; the hash must be $1$, $6$ or $y$"},
	{BadAccount, []string{"not in register"}, "the account is not in the ACCOUNTS register"},
	{BadAccount, []string{"Unable to change to directory"}, "the account's directory is missing or cannot be entered"},
	{IdleTimeout, []string{"Timeout"}, "nothing was entered for 30 s"},
	{Terminated, []string{"Connection terminated"}, "qm ended the dialogue"},
}

// Of returns the first cause that the text tells, or None.
func Of(text string) Symptom {
	for _, entry := range known {
		if containsAll(text, entry.all) {
			return entry.symptom
		}
	}
	return None
}

// Hint says in one clause where to look; it is empty for None.
func (s Symptom) Hint() string {
	for _, entry := range known {
		if entry.symptom == s {
			return entry.hint
		}
	}
	return ""
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}
