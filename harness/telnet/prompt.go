package telnet

import (
	"bytes"
	"regexp"
	"unicode"
)

// Prompt names what the session waits for.
type Prompt string

// The prompts of a login dialogue (GPL.BP/LOGIN), of a session, and of a console session without login.
const (
	PromptNone     Prompt = ""
	PromptUsername Prompt = "username"
	PromptPassword Prompt = "password"
	PromptAccount  Prompt = "account"
	PromptCommand  Prompt = "command"
	// PromptConsole is the offer to create an account, which only a session without login makes.
	PromptConsole Prompt = "console"
)

var accountPrompt = regexp.MustCompile(`Account(?: \(([^()]*)\))?: $`)

// promptOf looks at the end of the decoded data. The chunks of qm's output vary, so that only the end of all that has
// arrived tells; the command prompt is written at the start of an erased line, hence the NUL of CR NUL before it.
func promptOf(data []byte) Prompt {
	switch {
	case bytes.HasSuffix(data, []byte("Username: ")):
		return PromptUsername
	case bytes.HasSuffix(data, []byte("Password: ")):
		return PromptPassword
	case accountPrompt.Match(data):
		return PromptAccount
	case bytes.HasSuffix(data, []byte("\x00:")):
		return PromptCommand
	case bytes.HasSuffix(data, []byte("Create account? ")):
		return PromptConsole
	}
	return PromptNone
}

// offeredAccount is the account that an empty answer would take, if the prompt names one.
func offeredAccount(data []byte) string {
	if match := accountPrompt.FindSubmatch(data); match != nil {
		return string(match[1])
	}
	return ""
}

// swapCase undoes the inversion that qm applies to what is typed after the login (PT$INVERT).
func swapCase(line string) string {
	out := []rune(line)
	for i, r := range out {
		switch {
		case r > unicode.MaxASCII:
		case unicode.IsUpper(r):
			out[i] = unicode.ToLower(r)
		case unicode.IsLower(r):
			out[i] = unicode.ToUpper(r)
		}
	}
	return string(out)
}
