package main

// articles are what the magazine has to read.
var articles = []article{
	{
		Slug: "four-towers-of-eddystone", Title: "The four towers of Eddystone", Sky: "storm", Minutes: 3, Price: 24,
		Summary: "One reef, four lighthouses: what each tower learned from the fall of the one before.",
		Paragraphs: []string{
			"The Eddystone rocks lie some fourteen miles off Plymouth, and at high water hardly a stone of them shows. In 1698 Henry Winstanley lit the first lamp there, in a tower of wood and ornament. Five years later the great storm of November 1703 took it away in a night, and its builder with it, who had wished to be inside in the greatest storm there ever was.",
			"John Rudyerd, a silk merchant, built the second like a ship: oak around a core of granite, smooth where Winstanley's had been all corners. It stood for nearly fifty years, until the lantern caught fire in 1755.",
			"John Smeaton looked at the trunk of an oak and built the third to its shape in stone, each block dovetailed into its neighbours, bound by a lime that sets under water. His tower outlived its rock: the sea had begun to hollow out the reef under it, and in 1882 James Douglass lit the fourth beside it, which is still at work.",
			"The upper part of Smeaton's tower was taken down stone by stone and put up again on Plymouth Hoe. Its stump has stayed on the reef, next to its successor.",
		},
	},
	{
		Slug: "a-lens-for-cordouan", Title: "A lens for Cordouan", Sky: "dusk", Minutes: 2, Price: 28,
		Summary: "How a road engineer with a taste for optics threw the light of one lamp to the horizon.",
		Paragraphs: []string{
			"A flame shines in every direction, and a sailor sees only the little that happens to go his way. Mirrors helped, but the best polish of the time lost about half of what fell on it.",
			"Augustin Fresnel, an engineer of roads and bridges, proposed glass instead. A lens big enough would have been too thick and too heavy, so he kept of it only what bends the light: rings of prisms around a small centre, each cut to send its share towards the horizon.",
			"The first great lens of this kind was lit at Cordouan, off the mouth of the Gironde, in July 1823. Its beams were seen from more than thirty kilometres away, and within a generation no coast wanted to be without one.",
		},
	},
	{
		Slug: "building-on-bell-rock", Title: "Building between two tides", Sky: "dawn", Minutes: 3, Price: 22,
		Summary: "Bell Rock is dry for a few hours a day. Four summers of them made a lighthouse.",
		Paragraphs: []string{
			"Eleven miles off the coast of Angus a reef of sandstone comes up twice a day for a few hours and goes under again, twelve feet deep at spring tides. Ships that ran for the Firth of Tay in bad weather found it by striking it.",
			"Robert Stevenson's men came in 1807. They began by building a beacon on legs, a house above the waves that saved them the row to their ship, and they cut the foundation with picks, the forge up to its bellows in water.",
			"The stones were dressed ashore, numbered, and laid so that every one locks into the next. The lamp was lit on the first of February 1811. The tower has stood there since, the oldest in the world that the sea washes, and its masonry has not had to be replaced.",
		},
	},
	{
		Slug: "the-keeper-of-la-jument", Title: "The keeper of La Jument", Sky: "night", Minutes: 2, Price: 36,
		Summary: "A door, a wave and a photograph: a morning in December 1989.",
		Paragraphs: []string{
			"La Jument stands off Ushant, where the Atlantic comes into the Channel. A man who had nearly drowned there left the money for it in his will, on condition that it be built within seven years of his death. It was finished in 1911, in time and in haste, and had to be strengthened for decades.",
			"In December 1989 a helicopter with the photographer Jean Guichard came by in a storm. Théodore Malgorn, the keeper, heard it, took it for his relief and opened the door, while behind the tower a wave was rising higher than its gallery.",
			"He saw the water come around both sides, and shut the door in time. The picture went around the world. The last keepers left two years later, and the light has been on its own since then.",
		},
	},
	{
		Slug: "a-machine-for-the-tides", Title: "A machine for the tides", Sky: "day", Minutes: 2, Price: 19,
		Summary: "Brass wheels that add up cosines: how the sea was computed before there were computers.",
		Paragraphs: []string{
			"The sea rises and falls as moon and sun pull at it, and each of their regular motions gives a regular wave: one of twelve hours for the sun, one of twelve hours and twenty-five minutes for the moon, others for the changing distance and height of both. The tide of a harbour is the sum of them, each with a height and a delay of its own.",
			"Adding up a dozen cosines for every hour of a year was months of work. In 1872 William Thomson, later Lord Kelvin, had a machine built that did it with wheels: each turns at the speed of one wave and lifts a cord by its height, and the pen at the end of the cord draws the sum.",
			"Such machines served until the 1960s. The page on tides of this magazine does the same, more slowly than it would have to, so that you see what a cache is good for.",
		},
	},
}
