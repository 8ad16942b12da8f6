"""The API's views: each authorises, calls one function, answers. One file per subject."""
