package otelmemcached

// Kept returns how many entries a Tracer keeps of each kind.
func Kept(t *Tracer) (spans, measures int) {
	t.spans.Range(func(any, any) bool { spans++; return true })
	t.measures.Range(func(any, any) bool { measures++; return true })
	return spans, measures
}
