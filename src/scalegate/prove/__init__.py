"""Questions about policies that are answered for every situation at once, by proof or by a situation that replays."""
