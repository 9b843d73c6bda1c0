package observation

import (
	"reflect"
	"strings"
	"unicode/utf8"
)

// A subject says what it likes, and not all of it is UTF-8: a service file in
// Latin-1, a field mark of the database's. JSON has only characters, and a byte
// that is none would come back as another. Such a byte becomes a character of the
// last private plane, where no text has any; one that is from there is taken for
// bytes, so that nothing is lost.
const firstByte = 0x10FF00

func isByte(r rune) bool { return r >= firstByte+0x80 && r <= firstByte+0xFF }

func toValid(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, isByte) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || isByte(r) {
			for _, one := range []byte(s[i : i+size]) {
				b.WriteRune(firstByte + rune(one))
			}
		} else {
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

func fromValid(s string) string {
	if strings.IndexFunc(s, isByte) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if isByte(r) {
			b.WriteByte(byte(r - firstByte))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// rewritten is a copy of a value in which every string is rewritten.
func rewritten(v any, f func(string) string) any {
	if v == nil {
		return nil
	}
	return rewrite(reflect.ValueOf(v), f).Interface()
}

func rewrite(v reflect.Value, f func(string) string) reflect.Value {
	to := reflect.New(v.Type()).Elem()
	to.Set(v)
	switch v.Kind() {
	case reflect.String:
		to.SetString(f(v.String()))
	case reflect.Struct:
		for i := range v.NumField() {
			// What keeps its parts to itself, such as a time, has no text of the subject's.
			if v.Type().Field(i).IsExported() {
				to.Field(i).Set(rewrite(v.Field(i), f))
			}
		}
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			break
		}
		if v.Kind() == reflect.Interface {
			to.Set(rewrite(v.Elem(), f))
			break
		}
		to.Set(reflect.New(v.Type().Elem()))
		to.Elem().Set(rewrite(v.Elem(), f))
	case reflect.Slice:
		if v.IsNil() || v.Type().Elem().Kind() == reflect.Uint8 {
			break
		}
		to.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			to.Index(i).Set(rewrite(v.Index(i), f))
		}
	case reflect.Array:
		for i := range v.Len() {
			to.Index(i).Set(rewrite(v.Index(i), f))
		}
	case reflect.Map:
		if v.IsNil() {
			break
		}
		to.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
		for k, e := range v.Seq2() {
			to.SetMapIndex(rewrite(k, f), rewrite(e, f))
		}
	}
	return to
}
