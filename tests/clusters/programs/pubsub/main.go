// An emulator of Pub/Sub on the loopback, with one topic and one subscription:
//
//	pubsub ADDRESS PROJECT TOPIC SUBSCRIPTION LEFT_ADDRESS
//
// Over HTTP the last address tells how many messages are not acknowledged.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
)

func main() {
	port, err := strconv.Atoi(os.Args[1][strings.LastIndex(os.Args[1], ":")+1:])
	if err != nil {
		panic(err)
	}
	server := pstest.NewServerWithPort(port)
	topic := fmt.Sprintf("projects/%s/topics/%s", os.Args[2], os.Args[3])
	subscription := fmt.Sprintf("projects/%s/subscriptions/%s", os.Args[2], os.Args[4])
	ctx := context.Background()
	if _, err := server.GServer.CreateTopic(ctx, &pb.Topic{Name: topic}); err != nil {
		panic(err)
	}
	if _, err := server.GServer.CreateSubscription(ctx, &pb.Subscription{
		Name: subscription, Topic: topic, AckDeadlineSeconds: 60,
	}); err != nil {
		panic(err)
	}
	http.HandleFunc("/", func(answer http.ResponseWriter, _ *http.Request) {
		left := 0
		for _, message := range server.Messages() {
			if message.Acks == 0 {
				left++
			}
		}
		fmt.Fprint(answer, left)
	})
	panic(http.ListenAndServe(os.Args[5], nil))
}
