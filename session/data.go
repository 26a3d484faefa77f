package session

import "context"

// Data is what an application keeps with one session, by key: a cart, a draft.
// Each method is atomic; a session that has ended is ErrNoSession, and its data
// is gone with it. A session that continues (Grant.Replace) keeps its data.
type Data struct {
	manager *Manager
	id      ID
}

// Data returns the data of a session.
func (m *Manager) Data(s Session) Data { return Data{m, s.id} }

// Get returns the value and whether there is one.
func (d Data) Get(ctx context.Context, key string) ([]byte, bool, error) {
	if err := d.usable(key); err != nil {
		return nil, false, err
	}
	value, ok, err := d.manager.store.GetData(ctx, d.manager.now(), d.id, key)
	if err != nil {
		return nil, false, storeError(err)
	}
	return value, ok, nil
}

// Put sets the value. ErrTooLarge if the session's keys and values together
// would pass MaxData bytes.
func (d Data) Put(ctx context.Context, key string, value []byte) error {
	if err := d.usable(key); err != nil {
		return err
	}
	if err := d.manager.store.PutData(ctx, d.manager.now(), d.id, key, value); err != nil {
		return storeError(err)
	}
	return nil
}

// Delete removes the key; one that is not there is no error.
func (d Data) Delete(ctx context.Context, key string) error {
	if err := d.usable(key); err != nil {
		return err
	}
	if err := d.manager.store.DeleteData(ctx, d.manager.now(), d.id, key); err != nil {
		return storeError(err)
	}
	return nil
}

// Take returns the value and removes it: of several callers one gets it. For
// what may be used once, such as a message to show after a redirect.
func (d Data) Take(ctx context.Context, key string) ([]byte, bool, error) {
	if err := d.usable(key); err != nil {
		return nil, false, err
	}
	value, ok, err := d.manager.store.TakeData(ctx, d.manager.now(), d.id, key)
	if err != nil {
		return nil, false, storeError(err)
	}
	return value, ok, nil
}

func (d Data) usable(key string) error {
	switch {
	case d.manager == nil || d.id.IsZero():
		return invalid("data belongs to a session that a check returned")
	case !d.manager.running.Load():
		return errNotRunning
	case key == "" || len(key) > MaxKey:
		return invalid("a key is 1 to %d bytes", MaxKey)
	}
	return nil
}
