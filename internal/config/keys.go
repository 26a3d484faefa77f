package config

import (
	"reflect"
	"strings"
)

// Key is one setting. Name is how the file calls it; Flag is without its "--".
type Key struct {
	Name, Flag, Variable string
	Default, Help        string
	Placeholder          string // what stands for the value
	List                 bool   // several values
	Secret               bool   // may hold a password
	Reload               bool   // is taken over by a running server
	field                int
}

// Keys returns all settings, in the order of Config.
func Keys() []Key {
	var keys []Key
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		flag := tag.Get("name")
		name := strings.ReplaceAll(flag, "-", "_")
		_, secret := tag.Lookup("secret")
		_, reload := tag.Lookup("reload")
		keys = append(keys, Key{
			Name: name, Flag: flag, Variable: "CLOAKROOM_" + strings.ToUpper(strings.ReplaceAll(name, ".", "_")),
			Default: tag.Get("default"), Help: tag.Get("help"), Placeholder: tag.Get("placeholder"),
			List: t.Field(i).Type.Kind() == reflect.Slice, Secret: secret, Reload: reload, field: i,
		})
	}
	return keys
}

// set gives the key a value; of a list, the parts between commas.
func (k Key) set(c *Config, text string) {
	field := reflect.ValueOf(c).Elem().Field(k.field)
	if !k.List {
		field.SetString(text)
		return
	}
	var list []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	field.Set(reflect.ValueOf(list))
}

// get returns the value; of a list, the parts with commas between.
func (k Key) get(c Config) string {
	field := reflect.ValueOf(c).Field(k.field)
	if !k.List {
		return field.String()
	}
	return strings.Join(field.Interface().([]string), ",")
}
