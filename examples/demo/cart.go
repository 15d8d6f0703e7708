package main

import (
	"net/http"

	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

// cartPrefix begins the keys of a session under which the numbers of prints
// stand, one for each article: two tabs that add different prints at the same
// time do not undo each other.
const cartPrefix = "cart:"

// maxPrints is how many prints of one drawing a cart takes.
const maxPrints = 9

// A cartLine is what a cart has of one print.
type cartLine struct {
	Article article
	Count   int
	Sum     int // in euros
}

func (v *visitor) fillCart(values map[any]any) {
	for _, a := range articles {
		count, _ := values[cartPrefix+a.Slug].(int)
		if count <= 0 {
			continue
		}
		v.Lines = append(v.Lines, cartLine{Article: a, Count: count, Sum: count * a.Price})
		v.Count += count
		v.Total += count * a.Price
	}
}

// showCart shows the cart.
func (s *site) showCart(c *gin.Context) {
	s.render(c, http.StatusOK, "cart", "Your cart", s.visitor(c))
}

// changeCart adds a print, or takes one away.
func (s *site) changeCart(c *gin.Context) {
	a, ok := articleOf(c.PostForm("article"))
	if !ok {
		s.fail(c, http.StatusBadRequest, "There is no such print.", nil)
		return
	}
	if err := s.visitor(c).err; err != nil { // nothing can be added to what is not known
		s.failSession(c, "Your cart could not be changed.", err)
		return
	}
	current, key := ginsessions.Default(c), cartPrefix+a.Slug
	count, _ := current.Get(key).(int)
	if c.PostForm("do") == "remove" {
		count--
	} else {
		count = min(count+1, maxPrints)
	}
	if count > 0 {
		current.Set(key, count)
	} else {
		current.Delete(key)
	}
	if err := current.Save(); err != nil {
		s.failSession(c, "Your cart could not be changed.", err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/cart")
}
