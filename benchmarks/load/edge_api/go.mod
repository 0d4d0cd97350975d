module edge

go 1.21
