// Package session keeps the sessions of a web application in memcached: a store
// for gin-contrib/sessions, gorilla/sessions and scs.
package session
